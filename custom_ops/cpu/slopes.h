// PReLU over one stretch of elements: which slope meets which element.
#ifndef ONNX_ACTS_SLOPES_H_
#define ONNX_ACTS_SLOPES_H_

#include <cstdint>

#include "activations/broadcast.h"
#include "cpu/loops.h"

namespace onnx_acts {

struct SlopeLoops {
  ElementLoops::Slopes one;
  ElementLoops::Slopes each;
  std::size_t element_size;
  Loops::Stream stream;  // for Fill (stream.h)
};

// Computes elements [begin, end) of y. No two stretches share anything; no memory is allocated.
void ApplySlopes(const SlopeLoops& loops, const SlopeLayout& layout, const char* x,
                 const char* slopes, char* y, int64_t begin, int64_t end);

}  // namespace onnx_acts

#endif  // ONNX_ACTS_SLOPES_H_
