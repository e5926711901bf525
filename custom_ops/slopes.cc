#include "slopes.h"

#include <algorithm>

#include "attributes.h"

namespace onnx_acts {
namespace {

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
void LayOut(SlopeCursor& cursor, const SlopeLayout& layout, std::size_t element_size,
            const char* slopes, char* out, int64_t count) {
  const bool repeats = layout.stride[0] == 0;
  if (element_size == 2) return LayOut<uint16_t>(cursor, repeats, slopes, out, count);
  if (element_size == 4) return LayOut<uint32_t>(cursor, repeats, slopes, out, count);
  LayOut<uint64_t>(cursor, repeats, slopes, out, count);
}

// One slope per run, or a run of neighbouring slopes.
void ByRuns(const SlopeLoops& loops, const SlopeLayout& layout, const char* x, const char* slopes,
            char* y, int64_t begin, int64_t end) {
  const auto size = static_cast<int64_t>(loops.element_size);
  const auto loop = layout.stride[0] == 0 ? loops.one : loops.each;
  SlopeCursor cursor(layout, begin);
  for (int64_t at = begin; at < end;) {
    const int64_t run = std::min(cursor.run(), end - at);
    loop(x + at * size, slopes + cursor.slope() * size, y + at * size, run);
    cursor.Advance(run);
    at += run;
  }
}

// The slopes repeat after few elements: laid out once, used again and again.
void ByPeriods(const SlopeLoops& loops, const SlopeLayout& layout, int64_t period, const char* x,
               const char* slopes, char* y, int64_t begin, int64_t end) {
  const auto size = static_cast<int64_t>(loops.element_size);
  Buffer buffer;
  const int64_t step = std::min(kBufferElements / period * period, end - begin);
  SlopeCursor cursor(layout, begin);
  LayOut(cursor, layout, loops.element_size, slopes, buffer.bytes, step);
  for (int64_t at = begin; at < end; at += step) {
    loops.each(x + at * size, buffer.bytes, y + at * size, std::min(step, end - at));
  }
}

// Short runs of a long pattern: laid out block by block.
void ByBlocks(const SlopeLoops& loops, const SlopeLayout& layout, const char* x, const char* slopes,
              char* y, int64_t begin, int64_t end) {
  const auto size = static_cast<int64_t>(loops.element_size);
  Buffer buffer;
  SlopeCursor cursor(layout, begin);
  for (int64_t at = begin; at < end; at += kBufferElements) {
    const int64_t count = std::min(kBufferElements, end - at);
    LayOut(cursor, layout, loops.element_size, slopes, buffer.bytes, count);
    loops.each(x + at * size, buffer.bytes, y + at * size, count);
  }
}

}  // namespace

void ApplySlopes(const SlopeLoops& loops, const SlopeLayout& layout, const char* x,
                 const char* slopes, char* y, int64_t begin, int64_t end) {
  const auto size = static_cast<int64_t>(loops.element_size);
  const int64_t period = SlopePeriod(layout);
  if (period == 1) {  // one slope for all
    loops.one(x + begin * size, slopes, y + begin * size, end - begin);
  } else if (layout.rank > 1 && period <= kBufferElements / 2) {
    ByPeriods(loops, layout, period, x, slopes, y, begin, end);
  } else if (layout.size[0] >= kShortRun) {
    ByRuns(loops, layout, x, slopes, y, begin, end);
  } else {
    ByBlocks(loops, layout, x, slopes, y, begin, end);
  }
}

void CheckSlopeShape(const OpSpec& spec, const std::string& node_name, const Shape& x,
                     const Shape& slope) {
  if (BroadcastsTo(slope.sizes(), slope.rank(), x.sizes(), x.rank())) return;
  throw InvalidArgument(
      Describe(spec, node_name) + ": slope of shape " + slope.Text() +
      " does not broadcast to X of shape " + x.Text() +
      "; sizes are aligned at the last dimension and each must be 1 or X's (for one slope per "
      "channel, reshape the slope to (C, 1, ..., 1))");
}

}  // namespace onnx_acts
