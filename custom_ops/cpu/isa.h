// The choice of an instruction-set level for this process.
#ifndef ONNX_ACTS_ISA_H_
#define ONNX_ACTS_ISA_H_

#include <string>
#include <vector>

#include "cpu/loops.h"

namespace onnx_acts {

struct IsaChoice {
  const Loops* loops;  // null: `error` says why
  const char* level;
  std::string error;
};

// The best level that the processor has, or the one that the environment variable ONNX_ACTS_ISA
// names. Decided once per process.
const IsaChoice& ChooseIsa();

// The names of the levels in this library, lowest first.
std::vector<std::string> CompiledLevels();

}  // namespace onnx_acts

#endif  // ONNX_ACTS_ISA_H_
