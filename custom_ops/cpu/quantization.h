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

namespace {  // every instruction-set level has its own

inline float Dequantize(uint8_t x, const Quantization& q) {
  return static_cast<float>(static_cast<int32_t>(x) - q.x_zero) * q.x_scale;
}

// To the nearest step, to the even one of two; saturated. NaN becomes 0.
inline uint8_t Quantize(float real, const Quantization& q) {
  const float low = static_cast<float>(-q.y_zero);
  const float high = static_cast<float>(255 - q.y_zero);
  float steps = real / q.y_scale;
  steps = steps > low ? steps : low;
  steps = steps < high ? steps : high;
  return static_cast<uint8_t>(__builtin_irintf(steps) + q.y_zero);
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_QUANTIZATION_H_
