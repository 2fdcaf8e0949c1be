// Documents: the cold part of records, texts and references, each a zstd frame compressed with one
// dictionary that is trained on the first of them.
//
// Source of the form: RFC 8878. Thread rule: a writer belongs to one thread; a reader to many.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenken::advisories {

struct DocumentRef {
  std::uint64_t offset = 0;
  std::uint32_t size = 0;  // 0: no document
};

class DocumentWriter {
 public:
  DocumentWriter();
  ~DocumentWriter();
  // The document's number; its place is known after finish().
  std::uint32_t add(std::string_view bytes);
  void finish();
  DocumentRef place(std::uint32_t document) const { return places_[document]; }
  std::string take_dictionary() { return std::move(dictionary_); }
  std::string take_documents() { return std::move(blob_); }

 private:
  struct Compressor;
  void train();
  void compress(std::string_view bytes);

  std::unique_ptr<Compressor> compressor_;
  std::string waiting_;  // documents one behind another, until the dictionary is trained
  std::vector<std::size_t> waiting_sizes_;
  std::vector<DocumentRef> places_;
  std::uint32_t added_ = 0;
  std::string dictionary_;
  std::string blob_;
};

class DocumentReader {
 public:
  explicit DocumentReader(std::string_view dictionary);
  ~DocumentReader();
  DocumentReader(DocumentReader&&) noexcept;
  // invalid: no zstd frame, or it claims more than 64 MiB.
  Result<std::string> read(std::string_view frame) const;

 private:
  struct Decompressor;
  std::unique_ptr<Decompressor> decompressor_;
};

}  // namespace tenken::advisories
