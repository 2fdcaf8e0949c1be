#include "http/request_reader.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"

namespace tenken::http {
namespace {

constexpr std::size_t longest_method = 32;
constexpr std::size_t smallest_body_block = 4096;

constexpr std::array<bool, 256> token_characters = [] {
  std::array<bool, 256> out{};
  for (int c = 0; c < 256; ++c) out[static_cast<std::size_t>(c)] = is_alnum(static_cast<char>(c));
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) out[static_cast<std::size_t>(c)] = true;
  return out;
}();

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return token_characters[static_cast<unsigned char>(c)];
  });
}

// RFC 9110 section 5.5: visible characters, blanks, and bytes above ASCII.
bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= ' ' && byte != 0x7F);
  });
}

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; });
}

std::string_view trim_blanks(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

RequestReader::RequestReader(const Limits& limits, ByteBudget& budget)
    : limits_(limits), budget_(budget), lease_(budget) {}

RequestReader::Phase RequestReader::phase() const {
  switch (state_) {
    case State::request_line:
      return line_.empty() ? Phase::idle : Phase::head;
    case State::field:
      return Phase::head;
    case State::head_complete:
      return Phase::head_complete;
    case State::complete:
      return Phase::complete;
    case State::refused:
      return Phase::refused;
    case State::fixed_body:
    case State::chunk_size:
    case State::chunk_bytes:
    case State::chunk_end:
    case State::trailer:
      return Phase::body;
  }
  return Phase::refused;
}

void RequestReader::refuse(int status, std::string_view reason) {
  state_ = State::refused;
  refusal_ = {status, reason};
  std::string().swap(request_.body);
  lease_ = Lease(budget_);
}

std::size_t RequestReader::wanted_bytes(std::size_t at_most) const {
  if (state_ != State::fixed_body) return at_most;
  return static_cast<std::size_t>(std::min<std::uint64_t>(at_most, remaining_));
}

std::size_t RequestReader::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    const auto now = phase();
    if (now == Phase::head_complete || now == Phase::complete || now == Phase::refused) break;
    const auto rest = bytes.substr(used);
    const bool in_body = state_ == State::fixed_body || state_ == State::chunk_bytes;
    used += in_body ? feed_body(rest) : feed_line(rest);
  }
  if (phase() == Phase::body && used > 0) expects_continue_ = false;
  return used;
}

// A line is looked at when it is whole; until then only its size counts.
std::size_t RequestReader::feed_line(std::string_view bytes) {
  const auto end = bytes.find('\n');
  const auto piece = bytes.substr(0, end == bytes.npos ? bytes.size() : end + 1);
  head_bytes_ += piece.size();
  if (head_bytes_ > limits_.head_bytes) {
    if (state_ == State::request_line)
      refuse(414, "the request line is too long");
    else
      refuse(431, "the headers are too long");
    return piece.size();
  }
  if (!lease_.cover(head_bytes_ + request_.body.capacity())) {
    refuse(503, "too much is being received");
    return piece.size();
  }
  if (end == bytes.npos) {
    line_ += piece;
  } else if (line_.empty()) {
    take_line(piece);
  } else {
    line_ += piece;
    const std::string line = std::exchange(line_, {});
    take_line(line);
  }
  return piece.size();
}

void RequestReader::take_line(std::string_view line) {
  if (!line.ends_with("\r\n")) return refuse(400, "a line does not end in CRLF");
  line.remove_suffix(2);
  switch (state_) {
    case State::request_line:
      // RFC 9112 section 2.2: an empty line before the request line is ignored.
      if (!line.empty()) take_request_line(line);
      return;
    case State::field:
      return line.empty() ? end_of_head() : take_field(line);
    case State::chunk_size:
      return take_chunk_size(line);
    case State::chunk_end:
      if (!line.empty()) return refuse(400, "a chunk is longer than its size");
      head_bytes_ -= 2;
      state_ = State::chunk_size;
      return;
    case State::trailer:
      if (line.empty())
        state_ = State::complete;
      else
        take_field(line);
      return;
    default:
      return refuse(500, "no line is expected");
  }
}

void RequestReader::take_request_line(std::string_view line) {
  const auto [method, rest] = split_once(line, ' ');
  if (!is_token(method) || method.size() > longest_method || !rest)
    return refuse(400, "the request line has no method");
  const auto [target, version] = split_once(*rest, ' ');
  if (!version || version->size() != 8 || !version->starts_with("HTTP/") ||
      !is_digit((*version)[5]) || (*version)[6] != '.' || !is_digit((*version)[7]))
    return refuse(400, "the request line has no HTTP version");
  if ((*version)[5] != '1') return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  minor_version_ = (*version)[7] == '0' ? 0 : 1;
  request_.method = method;
  state_ = State::field;
  take_target(target);
}

// RFC 9112 section 3.2: origin form, absolute form, and "*" for OPTIONS. This is no proxy.
void RequestReader::take_target(std::string_view target) {
  if (target.empty() || !is_visible_ascii(target) || target.contains('#'))
    return refuse(400, "the request target is malformed");
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const auto end = std::min(target.find_first_of("/?"), target.size());
    authority_ = target.substr(0, end);
    if (authority_.empty() || authority_.contains('@'))
      return refuse(400, "the request target has no host, or a user in it");
    target.remove_prefix(end);
    request_.target = target.starts_with('/') ? "" : "/";
    request_.target += target;
    return;
  }
  if (!target.starts_with('/') && !(target == "*" && request_.method == "OPTIONS"))
    return refuse(400, "the request target is malformed");
  request_.target = target;
}

void RequestReader::take_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t')
    return refuse(400, "a header is folded over two lines");
  if (++fields_ > limits_.headers) return refuse(431, "there are too many headers");
  const auto [name, rest] = split_once(line, ':');
  if (!rest || !is_token(name)) return refuse(400, "a header's name is malformed");
  const auto value = trim_blanks(*rest);
  if (!is_field_value(value)) return refuse(400, "a header's value holds a control character");
  // RFC 9110 section 6.5: a trailer says nothing that the receiver asked for; it is read and left.
  if (state_ == State::trailer) return;
  take_special_field(name, value);
  if (state_ == State::field) request_.headers.all.emplace_back(name, value);
}

void RequestReader::take_special_field(std::string_view name, std::string_view value) {
  if (equal_ignoring_case(name, "host")) {
    ++hosts_;
    if (!is_visible_ascii(value)) return refuse(400, "the Host header is malformed");
  } else if (equal_ignoring_case(name, "content-length")) {
    if (has_length_) return refuse(400, "there are two Content-Length headers");
    const auto length = parse_uint(value);
    if (!length) return refuse(400, "the Content-Length header is malformed");
    has_length_ = true;
    remaining_ = *length;
  } else if (equal_ignoring_case(name, "transfer-encoding")) {
    if (chunked_) return refuse(400, "there are two Transfer-Encoding headers");
    if (!equal_ignoring_case(value, "chunked"))
      return refuse(501, "of the transfer codings only chunked is spoken here");
    chunked_ = true;
  } else if (equal_ignoring_case(name, "connection")) {
    take_connection(value);
  } else if (equal_ignoring_case(name, "expect")) {
    if (!equal_ignoring_case(value, "100-continue"))
      return refuse(417, "only 100-continue may be expected");
    expects_continue_ = true;
  }
}

void RequestReader::take_connection(std::string_view value) {
  for (const auto part : split(value, ',')) {
    const auto option = trim_blanks(part);
    if (equal_ignoring_case(option, "close")) close_ = true;
    if (equal_ignoring_case(option, "keep-alive")) keep_alive_ = true;
  }
}

void RequestReader::end_of_head() {
  // RFC 9112 section 3.2.2: the host of an absolute target stands before the header.
  if (!authority_.empty()) request_.headers.set("Host", authority_);
  if (hosts_ > 1 || (hosts_ == 0 && minor_version_ > 0))
    return refuse(400, "there must be one Host header");
  if (chunked_ && has_length_)
    return refuse(400, "there are both Content-Length and Transfer-Encoding");
  if (chunked_ && minor_version_ == 0) return refuse(400, "HTTP/1.0 has no transfer codings");
  if (minor_version_ == 0) expects_continue_ = false;
  state_ = State::head_complete;
}

void RequestReader::accept_body(std::size_t limit_bytes) {
  body_limit_ = limit_bytes;
  if (chunked_)
    state_ = State::chunk_size;
  else if (remaining_ > body_limit_)
    refuse(413, "the body is too large");
  else
    state_ = remaining_ == 0 ? State::complete : State::fixed_body;
}

// RFC 9112 section 7.1. Extensions are ignored; a line with one counts as part of the head, so that
// they cannot go on for ever, and a plain one does not.
void RequestReader::take_chunk_size(std::string_view line) {
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < line.size() && hex_value(line[digits]) >= 0; ++digits) {
    if (digits == 15) return refuse(400, "a chunk's size is malformed");
    size = size * 16 + static_cast<std::uint64_t>(hex_value(line[digits]));
  }
  const auto extension = trim_blanks(line.substr(digits));
  if (digits == 0 || !(extension.empty() || extension.front() == ';') || !is_field_value(extension))
    return refuse(400, "a chunk's size is malformed");
  if (size > body_limit_ - request_.body.size()) return refuse(413, "the body is too large");
  if (extension.empty()) head_bytes_ -= line.size() + 2;
  remaining_ = size;
  state_ = size == 0 ? State::trailer : State::chunk_bytes;
}

std::size_t RequestReader::feed_body(std::string_view bytes) {
  const auto piece =
      bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), remaining_)));
  if (!append_body(piece)) {
    refuse(503, "too much is being received");
    return piece.size();
  }
  remaining_ -= piece.size();
  if (remaining_ > 0) return piece.size();
  state_ = state_ == State::fixed_body ? State::complete : State::chunk_end;
  return piece.size();
}

// Grows by doubling, so that an announced length alone costs nothing, and never beyond what the
// body can still become.
bool RequestReader::append_body(std::string_view piece) {
  auto& body = request_.body;
  const std::size_t size = body.size() + piece.size();
  if (size > body.capacity()) {
    const std::size_t most = chunked_ ? body_limit_ : body.size() + remaining_;
    const std::size_t block = std::max({size, body.capacity() * 2, smallest_body_block});
    const std::size_t capacity = std::max(size, std::min(block, most));
    if (!lease_.cover(head_bytes_ + capacity)) return false;
    // A new string is as large as asked for; one that grows may take twice its size.
    std::string grown;
    grown.reserve(capacity);
    grown += body;
    body.swap(grown);
  }
  body += piece;
  return true;
}

BufferedRequest RequestReader::take() {
  BufferedRequest out{std::move(request_), std::move(lease_),
                      !close_ && (minor_version_ > 0 || keep_alive_)};
  state_ = State::request_line;
  request_ = {};
  lease_ = Lease(budget_);
  line_.clear();
  authority_.clear();
  head_bytes_ = fields_ = body_limit_ = 0;
  remaining_ = 0;
  minor_version_ = 1;
  hosts_ = 0;
  has_length_ = chunked_ = expects_continue_ = close_ = keep_alive_ = false;
  return out;
}

}  // namespace tenken::http
