// Tables of an activation's results for every 16-bit input.
#ifndef ONNX_ACTS_RESULTS_TABLE_H_
#define ONNX_ACTS_RESULTS_TABLE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "activations/op.h"
#include "cpu/loops.h"

namespace onnx_acts {

// y by the bits of x.
using ResultsTable = std::vector<uint16_t>;

// The table of a functor with a parameter. Nodes that are alike share one: 128 KiB that stay in the
// caches. It goes with the last of them.
std::shared_ptr<const ResultsTable> TableOf(const Loops& loops, Element element, Functor functor,
                                            double parameter);

}  // namespace onnx_acts

#endif  // ONNX_ACTS_RESULTS_TABLE_H_
