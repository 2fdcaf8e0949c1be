#include "aws/canonical_request.h"

#include <algorithm>

#include "base/text.h"

namespace tenken::aws {
namespace {

bool is_unreserved(char c) {
  return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// Unlike percent_decode() of base/text.h a stray '%' stands for itself: a signature is to be
// compared, whatever the client sent.
std::string decode_leniently(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size();
    const int high = escape ? hex_value(text[i + 1]) : -1;
    const int low = escape ? hex_value(text[i + 2]) : -1;
    const bool valid = high >= 0 && low >= 0;
    out += valid ? static_cast<char>(high * 16 + low) : text[i];
    if (valid) i += 2;
  }
  return out;
}

// RFC 3986 section 5.2.4, and empty segments go as well.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const auto segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(segment);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string out;
  out.reserve(path.size() + 1);
  for (const auto segment : kept) {
    out += '/';
    out += segment;
  }
  if (kept.empty() || path.ends_with('/')) out += '/';
  return out;
}

std::string canonical_path(std::string_view path, std::string_view service) {
  if (service != "s3") return uri_encode(without_dot_segments(path), Slash::keep);
  return path.empty() ? "/" : uri_encode(decode_leniently(path), Slash::keep);
}

void append_canonical_query(std::string& out, std::string_view query, std::string_view left_out) {
  auto parameters = query_parameters(query);
  if (!left_out.empty())
    std::erase_if(parameters,
                  [&](const Parameter& parameter) { return parameter.first == left_out; });
  for (auto& [name, value] : parameters) {
    name = uri_encode(name, Slash::encode);
    value = uri_encode(value, Slash::encode);
  }
  std::ranges::sort(parameters);
  bool first = true;
  for (const auto& [name, value] : parameters) {
    if (!std::exchange(first, false)) out += '&';
    out += name;
    out += '=';
    out += value;
  }
}

void append_folded(std::string& out, std::string_view value) {
  value = trim(value);
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!is_space(value[i])) {
      out += value[i];
    } else if (!is_space(value[i - 1])) {
      out += ' ';
    }
  }
}

void append_canonical_header(std::string& out, const RequestHead& head, std::string_view name) {
  out += name;
  out += ':';
  bool first = true;
  for (const auto& [sent_name, value] : head.headers) {
    if (!equal_ignoring_case(sent_name, name)) continue;
    if (!std::exchange(first, false)) out += ',';
    append_folded(out, value);
  }
  out += '\n';
}

}  // namespace

std::string_view RequestHead::path() const {
  return target.substr(0, target.find('?'));
}

std::string_view RequestHead::query() const {
  const auto at = target.find('?');
  return at == std::string_view::npos ? std::string_view{} : target.substr(at + 1);
}

const std::string* RequestHead::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers)
    if (equal_ignoring_case(name, lower_name)) return &value;
  return nullptr;
}

std::string uri_encode(std::string_view bytes, Slash slash) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    if (is_unreserved(c) || (c == '/' && slash == Slash::keep)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::vector<Parameter> query_parameters(std::string_view query) {
  std::vector<Parameter> parameters;
  for (const auto part : split(query, '&')) {
    if (part.empty()) continue;
    const auto [name, value] = split_once(part, '=');
    parameters.emplace_back(decode_leniently(name), decode_leniently(value.value_or("")));
  }
  return parameters;
}

std::string canonical_request(const RequestHead& head,
                              std::span<const std::string_view> signed_headers,
                              std::string_view payload_hash, std::string_view service,
                              std::string_view left_out_parameter) {
  std::string out;
  out.reserve(1024);
  out += head.method;
  out += '\n';
  out += canonical_path(head.path(), service);
  out += '\n';
  append_canonical_query(out, head.query(), left_out_parameter);
  out += '\n';
  for (const auto name : signed_headers) append_canonical_header(out, head, name);
  out += '\n';
  bool first = true;
  for (const auto name : signed_headers) {
    if (!std::exchange(first, false)) out += ';';
    out += name;
  }
  out += '\n';
  out += payload_hash;
  return out;
}

}  // namespace tenken::aws
