#include "advisories/documents.h"

#include <mutex>

#include <fmt/format.h>
// The training with stated parameters; the one that tries several takes four times as long and
// finds none that are better for these texts.
#define ZDICT_STATIC_LINKING_ONLY
#include <zdict.h>
#include <zstd.h>

namespace tenken::advisories {
namespace {

constexpr std::size_t training_bytes = std::size_t{1} << 20;
constexpr std::size_t dictionary_bytes = 32 << 10;
constexpr std::size_t document_limit = std::size_t{64} << 20;
constexpr int level = 2;

}  // namespace

struct DocumentWriter::Compressor {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CDict* dictionary = nullptr;
  std::string buffer;

  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor() {
    ZSTD_freeCDict(dictionary);
    ZSTD_freeCCtx(context);
  }
};

DocumentWriter::DocumentWriter() : compressor_(std::make_unique<Compressor>()) {}
DocumentWriter::~DocumentWriter() = default;

std::uint32_t DocumentWriter::add(std::string_view bytes) {
  if (compressor_->dictionary != nullptr) {
    compress(bytes);
    return added_++;
  }
  waiting_ += bytes;
  waiting_sizes_.push_back(bytes.size());
  if (waiting_.size() >= training_bytes) train();
  return added_++;
}

// Small databases have too few documents to train on: they compress without a dictionary.
void DocumentWriter::train() {
  dictionary_.resize(dictionary_bytes);
  const ZDICT_fastCover_params_t parameters{.k = 200,
                                            .d = 8,
                                            .f = 20,
                                            .steps = 0,
                                            .nbThreads = 1,
                                            .splitPoint = 0,
                                            .accel = 1,
                                            .shrinkDict = 0,
                                            .shrinkDictMaxRegression = 0,
                                            .zParams = {}};
  const auto size = ZDICT_trainFromBuffer_fastCover(
      dictionary_.data(), dictionary_.size(), waiting_.data(), waiting_sizes_.data(),
      static_cast<unsigned>(waiting_sizes_.size()), parameters);
  dictionary_.resize(ZDICT_isError(size) != 0 ? 0 : size);
  compressor_->dictionary = ZSTD_createCDict(dictionary_.data(), dictionary_.size(), level);
  std::string_view rest = waiting_;
  for (const auto document_size : waiting_sizes_) {
    compress(rest.substr(0, document_size));
    rest.remove_prefix(document_size);
  }
  waiting_ = {};
  waiting_sizes_ = {};
}

void DocumentWriter::compress(std::string_view bytes) {
  auto& buffer = compressor_->buffer;
  const auto bound = ZSTD_compressBound(bytes.size());
  if (buffer.size() < bound) buffer.resize(bound);
  const auto size = ZSTD_compress_usingCDict(compressor_->context, buffer.data(), buffer.size(),
                                             bytes.data(), bytes.size(), compressor_->dictionary);
  CHECK(ZSTD_isError(size) == 0);
  places_.push_back({blob_.size(), static_cast<std::uint32_t>(size)});
  blob_.append(buffer, 0, size);
}

void DocumentWriter::finish() {
  if (compressor_->dictionary == nullptr) train();
}

struct DocumentReader::Decompressor {
  ZSTD_DDict* dictionary = nullptr;
  ZSTD_DCtx* context = ZSTD_createDCtx();
  std::mutex mutex;  // guards context

  ~Decompressor() {
    ZSTD_freeDDict(dictionary);
    ZSTD_freeDCtx(context);
  }
};

DocumentReader::DocumentReader(std::string_view dictionary)
    : decompressor_(std::make_unique<Decompressor>()) {
  decompressor_->dictionary = ZSTD_createDDict(dictionary.data(), dictionary.size());
}
DocumentReader::~DocumentReader() = default;
DocumentReader::DocumentReader(DocumentReader&&) noexcept = default;

Result<std::string> DocumentReader::read(std::string_view frame) const {
  const auto size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > document_limit)
    return invalid("corrupt document");
  std::string out(size, '\0');
  const std::scoped_lock lock(decompressor_->mutex);
  const auto written =
      ZSTD_decompress_usingDDict(decompressor_->context, out.data(), out.size(), frame.data(),
                                 frame.size(), decompressor_->dictionary);
  if (ZSTD_isError(written) != 0 || written != size)
    return invalid(fmt::format("corrupt document: {}", ZSTD_getErrorName(written)));
  return out;
}

}  // namespace tenken::advisories
