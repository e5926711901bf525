#include "cpu/slopes.h"

#include "cpu/slope_walk.h"

namespace onnx_acts {
namespace {

// Slopes of the element type.
struct Walked : SlopeLoops {
  std::size_t slope_size = element_size;
};

}  // namespace

void ApplySlopes(const SlopeLoops& loops, const SlopeLayout& layout, const char* x,
                 const char* slopes, char* y, int64_t begin, int64_t end) {
  slope_walk::Walk(Walked{loops}, layout, x, slopes, y, begin, end);
}

}  // namespace onnx_acts
