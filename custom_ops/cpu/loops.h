// The loops over elements that each instruction-set level compiles (loop_cpu.cc).
#ifndef ONNX_ACTS_LOOPS_H_
#define ONNX_ACTS_LOOPS_H_

#include <cstdint>

#include "activations/op.h"

namespace onnx_acts {

// Every pointer is to elements of the type whose column it stands in. y may be x; nothing else may
// overlap. `n` is any count from 0.
struct Loops {
  // y = f(x, parameter)
  using Uniform = void (*)(const void* x, void* y, int64_t n, double parameter);
  // y = x < 0 ? slope * x : x, with one slope for all elements or one for each
  using Slopes = void (*)(const void* x, const void* slope, void* y, int64_t n);
  // slope[i] = the draw for element first + i; first is a multiple of 4
  using Draw = void (*)(uint64_t seed, int64_t first, int64_t n, double lower, double width,
                        void* slope);
  // noise[i] = x[i] < 0 ? slope[i] : 1
  using Noise = void (*)(const void* x, const void* slope, void* noise, int64_t n);
  // y = table[bits of x], for 16-bit elements
  using Lookup = void (*)(const uint16_t* x, uint16_t* y, int64_t n, const uint16_t* table);

  // Copies whole lines of 64 bytes past the caches. Both pointers are to the beginning of one.
  using Stream = void (*)(const void* lines, void* to, int64_t bytes);

  bool fused;  // sums of products are: levels alike in this give the same bits
  Uniform uniform[kFunctorCount][kElementCount];
  bool use_table[kFunctorCount];  // for 16-bit elements
  Slopes one_slope[kElementCount];
  Slopes each_slope[kElementCount];
  Draw draw[kElementCount];
  Noise noise[kElementCount];
  Lookup lookup;
  Stream stream;  // null where the processor has no such stores
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_LOOPS_H_
