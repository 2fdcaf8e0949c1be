#include "agent/agent.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <optional>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "agent/doubt.h"
#include "agent/enrol.h"
#include "agent/exchange.h"
#include "agent/footprint.h"
#include "agent/hold.h"
#include "agent/last_run.h"
#include "agent/pause.h"
#include "agent/reporter.h"
#include "agent/sender.h"
#include "agent/status.h"
#include "agent/update.h"
#include "base/text.h"
#include "base/time.h"
#include "crypto/encode.h"
#include "crypto/random.h"
#include "host/http_answer.h"
#include "host/identity.h"
#include "host/report.h"

namespace tenken::agent {
namespace {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using std::chrono::milliseconds;

constexpr int poll_patience_ms = 90'000;  // the server holds a poll for 50 s
constexpr int report_patience_ms = 120'000;
constexpr std::size_t longest_fault = 240;
constexpr int asks_again_ms = 500;         // a poll that is answered sooner is a server in trouble
constexpr int worth_shrinking_ms = 1'000;  // of waiting
constexpr int sweeps_saved = 8;            // where inotify tells of each change
constexpr int once_poll_patience_ms = 2'000;  // commands that wait come at once
constexpr auto status_interval = std::chrono::minutes(10);

class Running {
 public:
  Running(Collection& collection, const State& state, const AgentOptions& options,
          Membership membership, SenderOptions how, Reporter reporter)
      : collection_(collection),
        state_(state),
        options_(options),
        membership_(std::move(membership)),
        sender_(ending(std::move(how))),
        reporter_(std::move(reporter)),
        doubt_(collection, reporter_, state, milliseconds(options.timing.doubt_at_most_ms)),
        last_run_(state, collection, options.version, options.timing.seldom_ms),
        versions_(state.directory()),
        speaker_{.session = crypto::to_hex(crypto::random_bytes(8)),
                 .version = options.version,
                 .update_fault = {}},
        hold_(state),
        was_held_(!hold_.why().empty()),
        looks_first_(options.once) {
    take_fault();
    unread_ = unread_before(state_);
    collection_.remember(host::cloud_of(state_.last_report().lines));
  }

  Result<std::string> run() {
    log(fmt::format("agent {} of {}, resource {}", membership_.agent_id, membership_.server,
                    membership_.resource_id));
    begin();
    while (!ended_) {
      begin_anew_in_time();
      look();
      ask_cloud_in_time();
      speak();
      wait();
    }
    sender_.close();
    if (options_.once && (!fault_.empty() || hold_.on())) return unavailable(shown_fault());
    if (options_.once) TRY_VOID(renew_in_time());
    return fetched_;
  }

 private:
  struct Expected {
    std::optional<std::uint64_t> report;  // else it is a poll
    bool whole = false;                   // the report is
    std::string digest;                   // of the report
    std::size_t bytes = 0;                // of its body
    Time until;
    Time asked;
  };

  void log(std::string_view line) const {
    if (options_.log) options_.log(line);
  }
  Time after(int ms) const { return Clock::now() + milliseconds(ms); }

  // --- the host ---

  void look_now() { look_at_ = Clock::now(); }

  int sweep_ms() {
    const int blind = options_.timing.sweep_ms;
    return collection_.watch().hears_all() ? blind * sweeps_saved : blind;
  }

  void begin() {
    look_now();
    sweep_at_ = after(sweep_ms());
    if (options_.once) take_over_from_last_run();
    ask_which_instance_this_is();
  }

  void take_over_from_last_run() {
    collection_.watch().keep();
    if (last_run_.has_asked_cloud()) cloud_at_ = Time::max();
    if (!last_run_.has_looked(reporter_.digest())) return;
    looked_ = true;
    look_at_ = after(options_.timing.facts_ms);
  }

  // What was reported last may be of the instance that this one is a copy of: before its cloud was
  // asked, nothing is said in that one's name. One that is silent is not waited for.
  void ask_which_instance_this_is() {
    const auto reported = collection_.cloud().instance_id;
    const bool is_instance = !reported.empty() || membership_.resource_id.starts_with("i-");
    if (!is_instance || Clock::now() < cloud_at_ || !ask_cloud()) return;
    looked_ = false;
    look_now();
    if (collection_.cloud().instance_id == reported) return;
    looks_first_ = true;
    try_again();
  }

  // A change is waited out: package managers write many files.
  void note_change() {
    const auto now = Clock::now();
    if (!changed_since_) changed_since_ = now;
    look_at_ = std::min(now + milliseconds(options_.timing.settle_ms),
                        *changed_since_ + milliseconds(options_.timing.settle_at_most_ms));
  }

  // The inventory is to be taken anew and sent whole. What asks for it again meanwhile has the
  // same.
  void begin_anew_at(Time when) {
    if (!anew_at_) anew_at_ = when;
  }

  void begin_anew_in_time() {
    const auto now = Clock::now();
    // What is sent after the hours is what the host is then: it may be smaller.
    const bool held = hold_.on();
    if (std::exchange(was_held_, held) && !held) anew_at_ = now;
    if (!anew_at_ || now < *anew_at_) return;
    anew_at_.reset();
    collected_at_ = now;
    collection_.forget();
    try_again();  // also what was held: whoever asks may know that the server takes it now
    look_now();
  }

  // What waits to be sent is what the server did not take.
  void try_again() {
    hold_.lift();
    was_held_ = false;
    reporter_.begin_anew();
  }

  void look() {
    const auto now = Clock::now();
    if (now >= sweep_at_) {
      sweep_at_ = now + milliseconds(sweep_ms());
      if (!changed_since_ && collection_.watch().changed()) note_change();
    }
    if (now < look_at_) return;
    if (doubt_.is_too_early(now)) {
      look_at_ = now + milliseconds(options_.timing.doubt_ms);
      return;
    }
    changed_since_.reset();
    const auto used_before = processor_time();
    look_at_ = Time::max();
    observe(now);  // may want the next one soon
    const milliseconds usual(options_.timing.facts_ms);
    // Of a look that read databases it is not known what the rest took.
    const std::chrono::nanoseconds pause =
        has_read_ ? usual : pause_after(processor_time() - used_before, usual);
    look_at_ = std::min(look_at_, now + pause);
    worked_ = true;
  }

  void observe(Time now) {
    auto seen = collection_.observe();
    looked_ = true;
    has_read_ = seen && seen->fresh;
    if (!seen) {
      looked_ = !looks_first_ || options_.once;
      tell(seen.error().what);
      return;
    }
    if (doubt_.holds_back(*seen, now)) {
      looked_ = false;
      look_at_ = now + milliseconds(options_.timing.doubt_ms);
      return;
    }
    looks_first_ = options_.once;
    if (std::exchange(unread_, std::move(seen->unread)) != unread_) put_status(true);
    if (hold_.on() && host::whole_body(seen->lines).size() < hold_.bytes()) try_again();
    const auto reported = reporter_.note(std::move(seen->lines));
    if (!reported) return tell(reported.error().what);
    if (options_.once) last_run_.note_look(reporter_.digest());
    if (*reported) log(fmt::format("report {}: {} packages", reporter_.sequence(), seen->packages));
  }

  // The metadata service may take two seconds: nothing waits to be sent meanwhile.
  void ask_cloud_in_time() {
    const auto now = Clock::now();
    if (now < cloud_at_ || !looked_ || changed_since_ || reporter_.is_waiting()) return;
    if (ask_cloud()) observe(Clock::now());
  }

  // Whether it says something new.
  bool ask_cloud() {
    const auto before = collection_.cloud();
    const bool answered = collection_.ask_cloud();
    cloud_at_ = after(answered ? options_.timing.seldom_ms : options_.timing.facts_ms);
    if (options_.once && answered) last_run_.note_question();
    return collection_.cloud() != before;
  }

  // --- the server ---

  bool report_is_asked() const {
    return std::ranges::any_of(expected_,
                               [](const Expected& one) { return one.report.has_value(); });
  }

  bool may_speak() const { return looked_ || !looks_first_; }

  // A digest that the server has not would be answered by asking for the report it does not take.
  std::string_view shown_digest() const {
    return hold_.on() ? std::string_view() : reporter_.digest();
  }

  std::optional<SpooledReport> to_send() { return hold_.on() ? std::nullopt : reporter_.next(); }

  void speak() {
    if (is_told_to_end() || !may_speak() || Clock::now() < speak_at_ || report_is_asked()) return;
    if (const auto report = to_send()) {
      ask(report_request(speaker_, *report),
          {.report = report->sequence,
           .whole = report->base.empty(),
           .digest = report->digest,
           .bytes = report->body.size()},
          report_patience_ms);
    } else if (expected_.empty()) {
      const int patience = options_.once ? once_poll_patience_ms : poll_patience_ms;
      ask(poll_request(speaker_, shown_digest(), checked_in_ && !options_.once), {}, patience);
    }
  }

  // The answer's time begins when the request is out, which takes its own on a thin line.
  void ask(const Outgoing& request, Expected expected, int patience_ms) {
    const bool connects = sender_.socket() < 0;
    const auto asked = sender_.ask(request);
    if (!asked) return failed(asked.error());
    expected.asked = Clock::now();
    expected.until = after(patience_ms);
    expected_.push_back(std::move(expected));
    worked_ = worked_ || connects;
  }

  void listen() {
    while (!expected_.empty()) {
      auto answer = sender_.answer(0);
      if (!answer) return failed(answer.error());
      if (!*answer) return;
      const auto what = std::move(expected_.front());
      expected_.pop_front();
      if (const auto date = parse_http_date(host::header_of((*answer)->head, "Date")))
        server_now_ = *date;
      const auto done = what.report ? receipt(**answer, what) : commands(**answer, what);
      if (!done && what.report && is_refused_for_content(**answer)) {
        // What the server cannot take is not sent a second time: the whole is.
        reporter_.begin_anew();
        if (what.whole) {
          hold(done.error().what, what.bytes);
          continue;
        }
        look_now();
      }
      if (!done) return failed(done.error());
      if (sender_.socket() < 0) expected_.clear();  // the server closes: the rest is asked again
    }
  }

  // There is nothing smaller to be sent; the server is well, and may have commands.
  void hold(const std::string& why, std::size_t bytes) {
    const auto text = why + ": nothing is reported for hours";
    went_well();
    if (hold_.why() != text) log(text);
    hold_.begin(text, bytes);
    was_held_ = true;
    put_status(true);
    ended_ = ended_ || options_.once;
    if (sender_.socket() < 0) expected_.clear();
  }

  Result<> receipt(const Incoming& answer, const Expected& what) {
    TRY(const auto receipt, read_receipt(answer));
    const bool other = receipt.sequence != *what.report || receipt.digest != what.digest;
    if (receipt.need_whole || other) {
      TRY_VOID(reporter_.send_whole(receipt.sequence));
      if (reporter_.digest().empty()) look_now();
      // One that takes no whole either would be sent it for ever.
      if (whole_was_asked_)
        return unavailable("the server asks for the whole report again and again");
      log(fmt::format("the server asks for the whole report (it has report {})", receipt.sequence));
    } else {
      reporter_.acknowledged(*what.report);
      hold_.end();
    }
    whole_was_asked_ = receipt.need_whole || other;
    went_well();
    return {};
  }

  Result<> commands(const Incoming& answer, const Expected& what) {
    std::vector<std::string> refused;
    TRY(const auto commands,
        read_commands(answer, membership_.command_key, membership_.agent_id, server_now_, refused));
    for (const auto& reason : refused) log(reason);
    went_well();
    speaker_.update_fault.clear();  // once more, it would seem to be that of a newer command
    // One that fails takes none of the others with it.
    Result<> obeyed;
    for (const auto& command : commands)
      if (auto done = obey(command); obeyed) obeyed = std::move(done);
    TRY_VOID(obeyed);
    TRY_VOID(renew_in_time());
    ended_ = ended_ || (options_.once && commands.empty() && !anew_at_);
    // An idle server holds a poll; one that answers at once again and again is not hurried.
    if (!to_send() && Clock::now() - what.asked < milliseconds(asks_again_ms))
      speak_at_ = after(options_.timing.first_wait_ms);
    return {};
  }

  Result<> obey(const Command& command) {
    log(fmt::format("command {}", command.id));
    switch (command.kind) {
      case Command::Kind::collect:
        begin_anew_at(
            std::max(Clock::now(), collected_at_ + milliseconds(options_.timing.anew_ms)));
        return {};
      case Command::Kind::renew:
        return renew_now();
      case Command::Kind::update:
        return update(command.release);
    }
    return {};
  }

  // --- a newer agent ---

  Result<> update(const Release& release) {
    versions_.forget_fault();
    TRY(auto how, sender_options(membership_, state_));
    Sender sender(ending(std::move(how)));
    const auto fetched =
        fetch_release(sender, release, membership_.release_key, options_.version, versions_);
    const bool interrupted = is_told_to_end();
    if (fetched && interrupted) versions_.remove(release.version);
    if (fetched && !interrupted) {
      fetched_ = release.version;
      ended_ = true;
    } else if (is_version(release.version)) {
      const auto why = interrupted ? std::string(interruption) : fetched.error().what;
      versions_.note_fault(release.version, why);
      log(fmt::format("update to {}: {}", release.version, why));
    }
    take_fault();
    return {};
  }

  // It is told to the server until a poll is answered.
  void take_fault() {
    const auto fault = versions_.fault();
    speaker_.update_fault =
        fault ? fmt::format("{} {}", fault->version, fault->why).substr(0, longest_fault) : "";
  }

  Result<> renew_in_time() {
    if (renewal_waits_) return renew_now();
    if (Clock::now() < renew_at_) return {};
    renew_at_ = after(options_.timing.refused_wait_ms);
    TRY(const auto due, must_renew(state_, server_now_));
    return due ? renew_now() : Result<>();
  }

  Result<> renew_now() {
    renewal_waits_ = sender_.unanswered() > 0;
    if (renewal_waits_) return {};
    TRY(const auto said, renew(sender_, speaker_, state_, server_now_));
    log(said);
    return {};
  }

  void went_well() {
    wait_ms_ = 0;
    if (!fault_.empty()) log("the server answers again");
    if (!checked_in_) check_in();
    fault_.clear();
    put_status(false);
  }

  void check_in() {
    checked_in_ = true;
    const auto noted = versions_.checked_in(options_.version);
    if (!noted) log("that the server answers cannot be noted: " + noted.error().what);
  }

  void failed(const Error& error) {
    sender_.close();
    expected_.clear();
    if (told_to_end_) return;  // that is why
    const auto& timing = options_.timing;
    wait_ms_ = std::clamp(wait_ms_ * 2, timing.first_wait_ms, timing.longest_wait_ms);
    // Who was taken for a second agent goes on soon after the other one is gone.
    const bool for_good = error.code == Errc::denied;
    const int most = for_good ? std::max(timing.refused_wait_ms, wait_ms_) : wait_ms_;
    // Full jitter below the ceiling: agents do not come back all at once.
    speak_at_ = after(most / 2 + static_cast<int>(random_below(most / 2 + 1)));
    tell(error.what);
    ended_ = ended_ || options_.once;
  }

  // The same fault again and again is one line.
  void tell(const std::string& fault) {
    if (fault == fault_) return;
    fault_ = fault;
    log(fault);
    put_status(true);
  }

  static std::uint64_t random_below(int bound) {
    const auto bytes = crypto::random_bytes(4);
    std::uint32_t number = 0;
    for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
    return number % static_cast<std::uint32_t>(std::max(bound, 1));
  }

  const std::string& shown_fault() const { return fault_.empty() ? hold_.why() : fault_; }

  void put_status(bool at_once) {
    const auto now = Clock::now();
    if (!at_once && status_at_ && now - *status_at_ < status_interval) return;
    status_at_ = at_once ? std::nullopt : std::optional(now);
    agent::put_status(state_, {.contact = server_now_,
                               .fault = shown_fault(),
                               .unread = unread_,
                               .version = options_.version});
  }

  // --- waiting ---

  Time next_time() const {
    auto out = std::min(look_at_, sweep_at_);
    if (anew_at_) out = std::min(out, *anew_at_);
    if (expected_.empty() && may_speak()) out = std::min(out, speak_at_);
    for (const auto& one : expected_) out = std::min(out, one.until);
    return out;
  }

  void wait() {
    if (ended_) return;  // the order may have come while the network was waited for
    std::array<pollfd, 3> watched{
        pollfd{.fd = options_.orders, .events = POLLIN, .revents = 0},
        pollfd{.fd = collection_.watch().descriptor(), .events = POLLIN, .revents = 0},
        pollfd{.fd = expected_.empty() ? -1 : sender_.socket(), .events = POLLIN, .revents = 0}};
    const auto left = std::chrono::duration_cast<milliseconds>(next_time() - Clock::now()).count();
    if (worked_ && !options_.once && left >= worth_shrinking_ms) {
      shrink();
      worked_ = false;
    }
    ::poll(watched.data(), watched.size(),
           static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
    if (watched[0].revents != 0) take_order();
    if (watched[1].revents != 0 && collection_.watch().heard() && collection_.watch().changed())
      note_change();
    if (watched[2].revents != 0) listen();
    if (!expected_.empty() && Clock::now() >= expected_.front().until) too_late();
  }

  void too_late() {
    // A poll that waits says that there is no command.
    if (options_.once && !expected_.front().report)
      ended_ = true;
    else
      failed(unavailable("the server does not answer"));
  }

  // Nothing is waited for once this agent is told to end.
  SenderOptions ending(SenderOptions how) {
    how.stopped = [this] { return is_told_to_end(); };
    return how;
  }

  bool is_told_to_end() {
    pollfd watched{.fd = options_.orders, .events = POLLIN, .revents = 0};
    if (!told_to_end_ && ::poll(&watched, 1, 0) > 0) take_order();
    return told_to_end_;
  }

  void take_order() {
    char order = 't';
    std::ignore = ::read(options_.orders, &order, 1);
    told_to_end_ = told_to_end_ || order == 't';
    ended_ = ended_ || told_to_end_;
    if (order != 'c') return;
    hold_.lift();  // whoever asks may know that the server takes more now
    collection_.forget();
    look_now();
  }

  Collection& collection_;
  const State& state_;
  const AgentOptions& options_;
  Membership membership_;
  Sender sender_;
  Reporter reporter_;
  Doubt doubt_;
  LastRun last_run_;
  Versions versions_;
  Speaker speaker_;
  Hold hold_;
  bool was_held_;        // when it was looked at last
  std::string fetched_;  // a version that is to be tried
  bool checked_in_ = false;
  bool looked_ = false;
  bool looks_first_;       // before the server hears of it
  bool has_read_ = false;  // the last look read a database
  std::deque<Expected> expected_;
  Seconds server_now_ = 0;

  Time look_at_;
  std::optional<Time> changed_since_;  // and not looked at yet
  Time sweep_at_;
  Time speak_at_;
  std::optional<Time> anew_at_;      // the inventory is to be taken anew and sent whole
  Time collected_at_ = Time::min();  // when that was done last
  bool whole_was_asked_ = false;     // in answer to the report before, which was none that counts
  Time renew_at_;                    // when it is looked at again whether the certificate ends
  bool renewal_waits_ = false;       // for the answer to what is asked
  Time cloud_at_;                    // when the cloud is asked again
  std::optional<Time> status_at_;
  int wait_ms_ = 0;
  std::string fault_;
  std::string unread_;   // of the host, at the last look
  bool worked_ = false;  // since memory was given back
  bool ended_ = false;
  bool told_to_end_ = false;
};

// A state that was copied to another host would take that for this one.
Result<> check_host(const Membership& membership, const Collection& collection,
                    const State& state) {
  const auto machine = host::machine_hash(collection.root());
  if (membership.machine.empty() || !machine || *machine == membership.machine) return {};
  return invalid(
      fmt::format("{}: a host with another machine id enrolled with this state; where this is a "
                  "copy, remove it; then enrol with a new token",
                  state.directory()));
}

}  // namespace

Result<std::string> run(Collection& collection, const State& state, const AgentOptions& options) {
  TRY(auto membership, state.membership());
  if (auto fits = check_host(membership, collection, state); !fits) {
    put_refusal(state, fits.error().what, options.version);
    return std::move(fits).error();
  }
  TRY(auto how, sender_options(membership, state));
  TRY(auto reporter, Reporter::open(state));
  return Running(collection, state, options, std::move(membership), std::move(how),
                 std::move(reporter))
      .run();
}

}  // namespace tenken::agent
