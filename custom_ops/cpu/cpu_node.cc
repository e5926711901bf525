#include "cpu/cpu_node.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "cpu/isa.h"
#include "cpu/slopes.h"
#include "cpu/stream.h"
#include "ort/status.h"

namespace onnx_acts {
namespace {

// Elements that one task computes. A tensor of up to kInlineElements is computed by the calling
// thread. Measured with two threads against one at 131,072 float32 elements: 27 us against 44 for
// ELU, but 14 against 11 for LeakyReLU, which gains from 262,144 elements on.
constexpr int64_t kChunkElements = 32768;
constexpr int64_t kInlineElements = 2 * kChunkElements;

// A short buffer for drawn slopes: it stays in the first-level cache.
constexpr int64_t kDrawBlock = 512;

// Bytes of Y from which on it is streamed.
constexpr int64_t kStreamFrom = int64_t{64} << 20;

// What ONNX_ACTS_STREAM_FROM says in its place, for tests.
int64_t StreamFrom() {
  const char* const wanted = std::getenv("ONNX_ACTS_STREAM_FROM");
  if (wanted == nullptr || *wanted == '\0') return kStreamFrom;
  const std::string text = wanted;
  if (text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos) {
    throw std::runtime_error("onnx_acts: ONNX_ACTS_STREAM_FROM=" + text +
                             ": not a number of bytes; leave it unset");
  }
  return std::stoll(text);
}

}  // namespace

CpuNode::CpuNode(const OpSpec& spec, Element element, const ort::Api* api,
                 const ort::KernelInfo* info)
    : Node(spec, element, api, info),
      loops_(ChooseIsa().loops),
      own_(loops_->Of(element)),
      stream_from_(StreamFrom()) {
  const Results16 results = loops_->results_16[static_cast<int>(spec.functor)];
  if (element_size_ != 2 || results == Results16::kComputed) return;
  table_ = TableOf(*loops_, element, spec.functor, parameter_);
  if (results == Results16::kEither) faster_ = std::make_unique<FasterWay<>>();
}

void CpuNode::ComputeUniform(const Call& call) const {
  if (faster_ != nullptr) {
    faster_->Run(call.count, [&](bool second) { second ? LookUp(call) : Calculate(call); });
  } else if (table_ != nullptr) {
    LookUp(call);
  } else {
    Calculate(call);
  }
}

void CpuNode::Calculate(const Call& call) const {
  const ElementLoops::Uniform uniform = own_.uniform[static_cast<int>(spec_.functor)];
  ForEachPiece(call,
               [&](const char* x, char* y, int64_t count) { uniform(x, y, count, parameter_); });
}

void CpuNode::LookUp(const Call& call) const {
  ForEachPiece(call, [&](const char* x, char* y, int64_t count) {
    loops_->lookup(reinterpret_cast<const uint16_t*>(x), reinterpret_cast<uint16_t*>(y), count,
                   table_->data());
  });
}

template <class Body>
void CpuNode::ForEachPiece(const Call& call, const Body& body) const {
  const auto size = static_cast<int64_t>(element_size_);
  ForEachChunk(call, [&](int64_t begin, int64_t end, Loops::Stream stream) {
    Fill(call.y + begin * size, end - begin, size, stream,
         [&](int64_t at, char* y, int64_t count) { body(call.x + (begin + at) * size, y, count); });
  });
}

void CpuNode::ComputeSlopes(const Call& call, const SlopeLayout& layout, const char* slopes) const {
  ForEachChunk(call, [&](int64_t begin, int64_t end, Loops::Stream stream) {
    const SlopeLoops loops = {own_.one_slope, own_.each_slope, element_size_, stream};
    ApplySlopes(loops, layout, call.x, slopes, call.y, begin, end);
  });
}

void CpuNode::ComputeDraw(const Call& call) const {
  ForEachChunk(call,
               [&](int64_t begin, int64_t end, Loops::Stream) { DrawChunk(call, begin, end); });
}

// y may be x, so noise goes first.
void CpuNode::DrawChunk(const Call& call, int64_t begin, int64_t end) const {
  alignas(64) char slopes[kDrawBlock * sizeof(double)];
  const auto size = static_cast<int64_t>(element_size_);
  const double lower = training_ ? lower_ : parameter_;
  const double width = training_ ? width_ : 0.0;
  for (int64_t at = begin; at < end; at += kDrawBlock) {
    const int64_t count = std::min(kDrawBlock, end - at);
    const char* x = call.x + at * size;
    char* y = call.y + at * size;
    own_.draw(seed_, at, count, lower, width, slopes);
    if (call.noise != nullptr) own_.noise(x, slopes, call.noise + at * size, count);
    if (training_) {
      own_.each_slope(x, slopes, y, count);
    } else {
      own_.uniform[static_cast<int>(spec_.functor)](x, y, count, parameter_);
    }
  }
}

// How to stream Y: if it is so large that it leaves the caches before it is read again. 16-bit
// types are stored, as all of their loops but ReLU's have more to compute than to wait for. In
// place, what is stored is in a cache already.
Loops::Stream CpuNode::StreamFor(const Call& call) const {
  const bool large = call.count * static_cast<int64_t>(element_size_) >= stream_from_;
  const bool aligned = reinterpret_cast<uintptr_t>(call.y) % element_size_ == 0;
  const bool pays = large && element_size_ > 2 && call.x != call.y;
  return pays && aligned ? loops_->stream : nullptr;
}

template <class Body>
void CpuNode::ForEachChunk(const Call& call, const Body& body) const {
  struct Tasks {
    const Body& body;
    int64_t count;
    Loops::Stream stream;
    void Run(int64_t begin, int64_t end) const {
      body(begin, end, stream);
      if (stream != nullptr) EndStream();
    }
    static void RunOne(void* user_data, std::size_t task) {
      const Tasks& tasks = *static_cast<const Tasks*>(user_data);
      const int64_t begin = static_cast<int64_t>(task) * kChunkElements;
      tasks.Run(begin, std::min(begin + kChunkElements, tasks.count));
    }
  };
  Tasks tasks = {body, call.count, StreamFor(call)};
  if (call.count <= kInlineElements) {
    if (call.count > 0) tasks.Run(0, call.count);
    return;
  }
  const auto total = static_cast<std::size_t>((call.count + kChunkElements - 1) / kChunkElements);
  // With 0 batches the runtime gives each of its threads one batch of neighbouring tasks.
  Check(ort::KernelContext_ParallelFor(api_, call.context, &Tasks::RunOne, total, 0, &tasks));
}

}  // namespace onnx_acts
