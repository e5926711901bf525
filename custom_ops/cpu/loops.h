// The loops over elements that each instruction-set level compiles (loop_cpu.cc).
#ifndef ONNX_ACTS_LOOPS_H_
#define ONNX_ACTS_LOOPS_H_

#include <cstdint>

#include "activations/op.h"
#include "cpu/quantization.h"

namespace onnx_acts {

// For one element type, to which every pointer is. y may be x; nothing else may overlap. `n` is any
// count from 0.
struct ElementLoops {
  // y = f(x, parameter)
  using Uniform = void (*)(const void* x, void* y, int64_t n, double parameter);
  // y = x < 0 ? slope * x : x, with one slope for all elements or one for each
  using Slopes = void (*)(const void* x, const void* slope, void* y, int64_t n);
  // slope[i] = the draw for element first + i; first is a multiple of 4
  using Draw = void (*)(uint64_t seed, int64_t first, int64_t n, double lower, double width,
                        void* slope);
  // noise[i] = x[i] < 0 ? slope[i] : 1
  using Noise = void (*)(const void* x, const void* slope, void* noise, int64_t n);

  Uniform uniform[kFunctorCount];
  Slopes one_slope;
  Slopes each_slope;
  Draw draw;
  Noise noise;
};

// For elements of 8 bits, likewise.
struct QuantizedLoops {
  // As in ElementLoops, between DequantizeLinear and QuantizeLinear.
  using Slopes = void (*)(const uint8_t* x, const float* slope, uint8_t* y, int64_t n,
                          const Quantization& quantization);
  // The same with factors in the place of slopes.
  using Factors = void (*)(const uint8_t* x, const float* factor, uint8_t* y, int64_t n,
                           const Combined& combined);
  // y = table[x]
  using Lookup = void (*)(const uint8_t* x, uint8_t* y, int64_t n, const uint8_t* table);

  Slopes one_slope;
  Slopes each_slope;
  Factors one_factor;
  Factors each_factor;
  Lookup lookup;
};

// How 16-bit results are made: computed, looked up in a table of them all, or in whichever of the
// two ways is faster. The bits are the same.
enum class Results16 { kComputed, kEither, kLookedUp };

struct Loops {
  // y = table[bits of x], for 16-bit elements
  using Lookup = void (*)(const uint16_t* x, uint16_t* y, int64_t n, const uint16_t* table);
  // Copies whole lines of 64 bytes past the caches. Both pointers are to the beginning of one.
  using Stream = void (*)(const void* lines, void* to, int64_t bytes);

  bool fused;  // sums of products are: levels alike in this give the same bits
  ElementLoops elements[kElementCount];
  Results16 results_16[kFunctorCount];
  Lookup lookup;
  QuantizedLoops quantized;
  Stream stream;  // null where the processor has no such stores

  const ElementLoops& Of(Element element) const { return elements[static_cast<int>(element)]; }
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_LOOPS_H_
