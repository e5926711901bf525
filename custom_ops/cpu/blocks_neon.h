// The steps of blocks.h in the registers of ARMv8-A, which converts float16 itself; bfloat16 goes
// through integers. A NaN keeps its sign and what fits of its fraction, as in Half and BFloat16.
#ifndef ONNX_ACTS_BLOCKS_NEON_H_
#define ONNX_ACTS_BLOCKS_NEON_H_

#include <arm_neon.h>

#include "activations/float16.h"

namespace onnx_acts {
namespace {

constexpr int64_t kStep = 8;

// Half as many floats as halves fit in a register.
constexpr int64_t kFloats = 4;

inline uint16x8_t LoadBits(const void* from) {
  return vld1q_u16(static_cast<const uint16_t*>(from));
}

inline uint32x4_t LoadFloatBits(const float* from) {
  return vreinterpretq_u32_f32(vld1q_f32(from));
}

inline float16x4_t ToHalf(float32x4_t value) { return vcvt_f16_f32(value); }

inline void WidenStep(const Half* from, float* to) {
  const float16x8_t all = vreinterpretq_f16_u16(LoadBits(from));
  vst1q_f32(to, vcvt_f32_f16(vget_low_f16(all)));
  vst1q_f32(to + kFloats, vcvt_high_f32_f16(all));
}

inline void ShortenStep(const float* from, Half* to) {
  const float16x4_t low = ToHalf(vld1q_f32(from));
  const float16x8_t all = vcvt_high_f16_f32(low, vld1q_f32(from + kFloats));
  vst1q_u16(reinterpret_cast<uint16_t*>(to), vreinterpretq_u16_f16(all));
}

inline void WidenStep(const BFloat16* from, float* to) {
  const uint16x8_t all = LoadBits(from);
  vst1q_f32(to, vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(all), 16)));
  vst1q_f32(to + kFloats, vreinterpretq_f32_u32(vshll_high_n_u16(all, 16)));
}

// The upper halves are the results.
inline uint32x4_t RoundedToBFloat16(uint32x4_t all) {
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(all, 16), vdupq_n_u32(1));
  const uint32x4_t sum = vaddq_u32(vaddq_u32(all, vdupq_n_u32(0x7fff)), odd);
  const uint32x4_t magnitude = vandq_u32(all, vdupq_n_u32(0x7fffffff));
  const uint32x4_t nan = vcgtq_u32(magnitude, vdupq_n_u32(0x7f800000));
  return vbslq_u32(nan, vorrq_u32(all, vdupq_n_u32(0x400000)), sum);
}

inline void ShortenStep(const float* from, BFloat16* to) {
  const uint32x4_t low = RoundedToBFloat16(LoadFloatBits(from));
  const uint32x4_t high = RoundedToBFloat16(LoadFloatBits(from + kFloats));
  vst1q_u16(reinterpret_cast<uint16_t*>(to), vshrn_high_n_u32(vshrn_n_u32(low, 16), high, 16));
}

inline bool NearTieOfFour(float32x4_t y, Half) {
  const uint16x4_t less = vreinterpret_u16_f16(ToHalf(vmulq_n_f32(y, 1.0f - 0x1p-23f)));
  const uint16x4_t more = vreinterpret_u16_f16(ToHalf(vmulq_n_f32(y, 1.0f + 0x1p-23f)));
  return vminv_u16(vceq_u16(less, more)) == 0;
}

inline bool NearTieOfFour(float32x4_t y, BFloat16) {
  const uint32x4_t sum = vsubq_u32(vreinterpretq_u32_f32(y), vdupq_n_u32(0x7fff));
  return vminvq_u32(vandq_u32(sum, vdupq_n_u32(0xffff))) <= 2;
}

template <class T>
inline bool NearTieStep(const float* from, T kind) {
  const bool low = NearTieOfFour(vld1q_f32(from), kind);
  const bool high = NearTieOfFour(vld1q_f32(from + kFloats), kind);
  return low || high;
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_BLOCKS_NEON_H_
