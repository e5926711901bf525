// Tensors of 8 bits: what an element means. The arithmetic of DequantizeLinear and QuantizeLinear,
// step by step in float, as the results must have their bits.
#ifndef ONNX_ACTS_QUANTIZATION_H_
#define ONNX_ACTS_QUANTIZATION_H_

#include <cstdint>

namespace onnx_acts {

// Of x and of y: an element q means (q - zero) * scale.
struct Quantization {
  float x_scale;
  float y_scale;
  int32_t x_zero;
  int32_t y_zero;
};

// The same for PReLU in one product, where that has the bits (combined_factors.h): an element x
// becomes (x - x_zero) * factor + y_zero, with one factor for all that is not negative.
struct Combined {
  float not_negative;
  int32_t x_zero;
  int32_t y_zero;
};

namespace {  // every instruction-set level has its own

inline float Dequantize(uint8_t x, const Quantization& q) {
  return static_cast<float>(static_cast<int32_t>(x) - q.x_zero) * q.x_scale;
}

// The nearest integer, the even one of two. GCC makes one instruction of its own builtin, and two
// of what others have.
inline int32_t Nearest(float value) {
#ifdef __clang__
  return static_cast<int32_t>(__builtin_rintf(value));
#else
  return __builtin_irintf(value);
#endif
}

// The nearest step; saturated. NaN becomes 0.
inline uint8_t NearestStep(float steps, int32_t zero) {
  const float low = static_cast<float>(-zero);
  const float high = static_cast<float>(255 - zero);
  steps = steps > low ? steps : low;
  steps = steps < high ? steps : high;
  return static_cast<uint8_t>(Nearest(steps) + zero);
}

inline uint8_t Quantize(float real, const Quantization& q) {
  return NearestStep(real / q.y_scale, q.y_zero);
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_QUANTIZATION_H_
