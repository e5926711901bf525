// PReLU of tensors of 8 bits in one product for each element. The steps of the standard operators
// round after each of three operations, and one product with slope * x_scale / y_scale gives other
// bits where a result is near a tie. With a neighbour of that factor it gives the same ones, for
// most scales and slopes: whether it does is tried, on all 256 inputs.
#ifndef ONNX_ACTS_COMBINED_FACTORS_H_
#define ONNX_ACTS_COMBINED_FACTORS_H_

#include <memory>
#include <vector>

#include "cpu/loops.h"

namespace onnx_acts {

struct CombinedFactors {
  Combined combined;
  std::vector<float> factors;  // one for each slope
};

// Null where a slope has no factor, or where there are so many that the search would take long (it
// takes 0.3 us for each, once in a session). The slopes are numbers of the model that do not
// change.
std::unique_ptr<const CombinedFactors> FindCombinedFactors(const QuantizedLoops& loops,
                                                           const Quantization& quantization,
                                                           const float* slopes, int64_t count);

}  // namespace onnx_acts

#endif  // ONNX_ACTS_COMBINED_FACTORS_H_
