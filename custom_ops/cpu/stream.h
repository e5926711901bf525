// Streaming (non-temporal) stores: results that no cache could keep go to memory without being read
// from there first. Decision 7 has the figures.
#ifndef ONNX_ACTS_STREAM_H_
#define ONNX_ACTS_STREAM_H_

#include <algorithm>
#include <cstdint>

#include "cpu/loops.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace onnx_acts {

// Fills y with `count` elements: body(at, to, n) computes n of them from number `at` on, and writes
// them to `to`. Where there is a `stream`, that is a buffer in the first-level cache, whose lines
// are then streamed to y.
template <class Body>
void Fill(char* y, int64_t count, int64_t element_size, Loops::Stream stream, const Body& body) {
  // Small enough that the processor computes the next block while it stores this one.
  constexpr int64_t kBlockBytes = 512, kLine = 64;
  int64_t at = 0;
  if (stream != nullptr) {
    alignas(kLine) char block[kBlockBytes];
    const int64_t size = kBlockBytes / element_size;
    const auto past_line = static_cast<int64_t>(reinterpret_cast<uintptr_t>(y) % kLine);
    at = std::min(count, (kLine - past_line) % kLine / element_size);
    if (at > 0) body(0, y, at);
    // Four places in turn: the processor then reads ahead in four.
    for (const int64_t places : {4, 1}) {
      const int64_t length = (count - at) / (places * size) * size;
      for (int64_t i = at; i < at + length; i += size) {
        for (int64_t here = i; here < i + places * length; here += length) {
          body(here, block, size);
          stream(block, y + here * element_size, kBlockBytes);
        }
      }
      at += places * length;
    }
  }
  if (at < count) body(at, y + at * element_size, count - at);
}

// What this thread has streamed is seen before what it stores from now on.
inline void EndStream() {
#ifdef __SSE2__
  _mm_sfence();
#endif
}

}  // namespace onnx_acts

#endif  // ONNX_ACTS_STREAM_H_
