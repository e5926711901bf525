// Which slope meets which element, for any kind of elements: the walk of slopes.h as a template.
//
// `Loops` has the sizes `element_size` and `slope_size` in bytes, a `stream` for Fill (stream.h),
// and one(x, slope, y, n) and each(x, slopes, y, n), which compute n elements with one slope or
// with one for each.
#ifndef ONNX_ACTS_SLOPE_WALK_H_
#define ONNX_ACTS_SLOPE_WALK_H_

#include <algorithm>
#include <cstdint>

#include "activations/broadcast.h"
#include "cpu/stream.h"

namespace onnx_acts::slope_walk {

// Where one slope, or neighbouring slopes, serve fewer elements than this, the slopes are first
// laid out in a buffer, so that the vector loop stays long.
constexpr int64_t kShortRun = 64;
constexpr int64_t kBufferElements = 1024;

struct Buffer {
  alignas(64) char bytes[kBufferElements * 8];
};

template <class Bits>
void LayOut(SlopeCursor& cursor, bool repeats, const char* slopes, char* out, int64_t count) {
  const Bits* from = reinterpret_cast<const Bits*>(slopes);
  Bits* to = reinterpret_cast<Bits*>(out);
  while (count > 0) {
    const int64_t run = std::min(cursor.run(), count);
    const Bits* here = from + cursor.slope();
    if (repeats) {
      std::fill(to, to + run, *here);
    } else {
      std::copy(here, here + run, to);
    }
    cursor.Advance(run);
    to += run;
    count -= run;
  }
}

// Writes the slopes of the next `count` elements to `out` and moves the cursor on.
inline void LayOut(SlopeCursor& cursor, const SlopeLayout& layout, std::size_t slope_size,
                   const char* slopes, char* out, int64_t count) {
  const bool repeats = layout.stride[0] == 0;
  if (slope_size == 2) return LayOut<uint16_t>(cursor, repeats, slopes, out, count);
  if (slope_size == 4) return LayOut<uint32_t>(cursor, repeats, slopes, out, count);
  LayOut<uint64_t>(cursor, repeats, slopes, out, count);
}

// In what follows, x and y are at element `first`, the first of `count`.

// One slope per run, or a run of neighbouring slopes.
template <class Loops>
void ByRuns(const Loops& loops, const SlopeLayout& layout, const char* x, const char* slopes,
            char* y, int64_t first, int64_t count) {
  const auto size = static_cast<int64_t>(loops.element_size);
  const auto slope_size = static_cast<int64_t>(loops.slope_size);
  SlopeCursor cursor(layout, first);
  for (int64_t at = 0; at < count;) {
    const int64_t run = std::min(cursor.run(), count - at);
    const char* here = slopes + cursor.slope() * slope_size;
    if (layout.stride[0] == 0) {
      loops.one(x + at * size, here, y + at * size, run);
    } else {
      loops.each(x + at * size, here, y + at * size, run);
    }
    cursor.Advance(run);
    at += run;
  }
}

// The slopes of few elements, which repeat: laid out once, used again and again.
template <class Loops>
class Periods {
 public:
  // `count` elements from `first` on will be asked for.
  Periods(const Loops& loops, const SlopeLayout& layout, int64_t period, const char* slopes,
          int64_t first, int64_t count)
      : loops_(loops),
        period_(period),
        length_(std::min(kBufferElements / period * period, count)),
        first_(first) {
    SlopeCursor cursor(layout, first);
    LayOut(cursor, layout, loops.slope_size, slopes, buffer_.bytes, length_);
  }

  void Compute(const char* x, char* y, int64_t first, int64_t count) const {
    const auto size = static_cast<int64_t>(loops_.element_size);
    const auto slope_size = static_cast<int64_t>(loops_.slope_size);
    int64_t from = (first - first_) % period_;
    for (int64_t at = 0; at < count; from = 0) {
      const int64_t run = std::min(length_ - from, count - at);
      loops_.each(x + at * size, buffer_.bytes + from * slope_size, y + at * size, run);
      at += run;
    }
  }

 private:
  const Loops& loops_;
  int64_t period_, length_, first_;
  Buffer buffer_;
};

// Short runs of a long pattern: laid out block by block.
template <class Loops>
void ByBlocks(const Loops& loops, const SlopeLayout& layout, const char* x, const char* slopes,
              char* y, int64_t first, int64_t count) {
  const auto size = static_cast<int64_t>(loops.element_size);
  Buffer buffer;
  SlopeCursor cursor(layout, first);
  for (int64_t at = 0; at < count; at += kBufferElements) {
    const int64_t n = std::min(kBufferElements, count - at);
    LayOut(cursor, layout, loops.slope_size, slopes, buffer.bytes, n);
    loops.each(x + at * size, buffer.bytes, y + at * size, n);
  }
}

// Computes elements [begin, end) of y. No two stretches share anything; no memory is allocated.
template <class Loops>
void Walk(const Loops& loops, const SlopeLayout& layout, const char* x, const char* slopes, char* y,
          int64_t begin, int64_t end) {
  const auto size = static_cast<int64_t>(loops.element_size);
  const int64_t period = SlopePeriod(layout);
  // body(x, y, first, count)
  const auto fill = [&](const auto& body) {
    Fill(y + begin * size, end - begin, size, loops.stream, [&](int64_t at, char* to, int64_t n) {
      body(x + (begin + at) * size, to, begin + at, n);
    });
  };
  if (period == 1) {  // one slope for all
    fill([&](const char* from, char* to, int64_t, int64_t n) { loops.one(from, slopes, to, n); });
  } else if (layout.rank > 1 && period <= kBufferElements / 2) {
    const Periods<Loops> periods(loops, layout, period, slopes, begin, end - begin);
    fill([&](const char* from, char* to, int64_t first, int64_t n) {
      periods.Compute(from, to, first, n);
    });
  } else {
    const auto by = layout.size[0] >= kShortRun ? ByRuns<Loops> : ByBlocks<Loops>;
    fill([&](const char* from, char* to, int64_t first, int64_t n) {
      by(loops, layout, from, slopes, to, first, n);
    });
  }
}

}  // namespace onnx_acts::slope_walk

#endif  // ONNX_ACTS_SLOPE_WALK_H_
