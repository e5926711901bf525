// The 16-bit element types: bits to float and back, each value rounded once, to nearest even.
// Plain integer and float arithmetic that compilers turn into vector code; a GPU's instructions do
// the same but for the bits of a NaN.
#ifndef ONNX_ACTS_FLOAT16_H_
#define ONNX_ACTS_FLOAT16_H_

#include "activations/host_device.h"

namespace onnx_acts {
namespace {

// IEEE 754 binary16: 5 exponent bits, 10 fraction bits.
struct Half {
  uint16_t bits;

  ONNX_ACTS_HD inline float ToFloat() const {
#ifdef __CUDA_ARCH__
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(bits));
    return result;
#else
    const uint32_t magnitude = bits & 0x7fffu;
    // Moved into float's place the exponent is 112 too small; the product mends that and normalises
    // subnormals.
    const float finite = BitCast<float>(magnitude << 13) * 0x1p112f;
    const uint32_t quiet = magnitude > 0x7c00u ? 0x400000u : 0u;
    const uint32_t special = 0x7f800000u | (magnitude << 13) | quiet;
    const uint32_t result = magnitude >= 0x7c00u ? special : BitCast<uint32_t>(finite);
    return BitCast<float>(result | ((bits & 0x8000u) << 16));
#endif
  }

  static ONNX_ACTS_HD inline Half FromFloat(float value) {
#ifdef __CUDA_ARCH__
    Half result;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
#else
    const uint32_t all = BitCast<uint32_t>(value);
    const uint32_t magnitude = all & 0x7fffffffu;
    // Normal results: add just under half a unit, or half where the kept part is odd, and cut.
    const uint32_t odd = magnitude >> 13 & 1u;
    const uint32_t normal = (magnitude - 0x38000000u + 0xfffu + odd) >> 13;
    // Subnormal results: 0.5 has the unit 2^-24 in its last place, so the addition rounds.
    const uint32_t small = BitCast<uint32_t>(BitCast<float>(magnitude) + 0.5f) - 0x3f000000u;
    const uint32_t nan = 0x7e00u | (magnitude >> 13 & 0x3ffu);
    uint32_t result = magnitude < 0x38800000u ? small : normal;
    result = magnitude >= 0x47800000u ? 0x7c00u : result;
    result = magnitude > 0x7f800000u ? nan : result;
    return {static_cast<uint16_t>(result | (all >> 16 & 0x8000u))};
#endif
  }

  // Two of them, the first in the lower half; a GPU has one instruction for both.
  static ONNX_ACTS_HD inline uint32_t FromFloats(float first, float second) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    uint32_t result;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(second), "f"(first));
    return result;
#else
    return FromFloat(first).bits | uint32_t{FromFloat(second).bits} << 16;
#endif
  }

  // Whether a number within one unit of float of `value` may lie half-way between two of this type.
  // Below the normal numbers half-way points have fewer bits, at least 11: all such are taken.
  static ONNX_ACTS_HD inline bool NearTie(float value) {
    const uint32_t all = BitCast<uint32_t>(value);
    const bool is_small = (all & 0x7fffffffu) - 1u < 0x387fffffu;  // and not 0
    return ((all - 0xfffu) & (is_small ? 0xfffu : 0x1fffu)) <= 2u;
  }

  // Whether float may be unable to hold what a product, which is not 0, lost when it was rounded to
  // `value`. Results so small are 0 in Half.
  static ONNX_ACTS_HD inline bool LossIsLost(float) { return false; }

  // value as a float that FromFloat rounds like value itself: cut off, with the last bit set if
  // anything was lost ("round to odd"). Below float's normal numbers the result is 0 in any case.
  static ONNX_ACTS_HD inline float Narrow(double value) {
    const uint64_t all = BitCast<uint64_t>(value);
    const uint64_t lost = (all & 0x1fffffffu) != 0 ? 0x20000000u : 0u;
    return static_cast<float>(BitCast<double>((all & ~uint64_t{0x1fffffff}) | lost));
  }
};

// The upper half of a float: 8 exponent bits, 7 fraction bits.
struct BFloat16 {
  uint16_t bits;

  ONNX_ACTS_HD inline float ToFloat() const {
    return BitCast<float>(static_cast<uint32_t>(bits) << 16);
  }

  static ONNX_ACTS_HD inline BFloat16 FromFloat(float value) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    BFloat16 result;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
#else
    const uint32_t all = BitCast<uint32_t>(value);
    const uint32_t rounded = (all + 0x7fffu + (all >> 16 & 1u)) >> 16;
    const uint32_t nan = all >> 16 | 0x40u;
    const uint32_t result = (all & 0x7fffffffu) > 0x7f800000u ? nan : rounded;
    return {static_cast<uint16_t>(result)};
#endif
  }

  static ONNX_ACTS_HD inline uint32_t FromFloats(float first, float second) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    uint32_t result;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(second), "f"(first));
    return result;
#else
    return FromFloat(first).bits | uint32_t{FromFloat(second).bits} << 16;
#endif
  }

  // As for Half; half-way points are where the lower half of the bits is 0x8000.
  static ONNX_ACTS_HD inline bool NearTie(float value) {
    return ((BitCast<uint32_t>(value) - 0x7fffu) & 0xffffu) <= 2u;
  }

  // What a product of 24 and 8 bits loses is a multiple of 2^-32 of it, if float has that.
  static ONNX_ACTS_HD inline bool LossIsLost(float value) {
    return (BitCast<uint32_t>(value) & 0x7fffffffu) - 1u < 0x10000000u - 1u;
  }

  // As for Half; but bfloat16 has float's exponents, so that its subnormal results, multiples of
  // 2^-133, must be rounded here: at 1.5 * 2^-81 a double has that unit in its last place.
  static ONNX_ACTS_HD inline float Narrow(double value) {
    const bool small = value < 0x1p-126 && value > -0x1p-126;
    const double rounded = (value + 0x1.8p-81) - 0x1.8p-81;
    // A zero keeps the value's sign, that of -0 too.
    const uint64_t sign = BitCast<uint64_t>(value) & 0x8000000000000000u;
    const double result = BitCast<double>(BitCast<uint64_t>(rounded) | sign);
    return small ? static_cast<float>(result) : Half::Narrow(value);
  }
};

// value + lost, cut off to float with the last bit set if it is not a float ("round to odd"): few
// enough bits are cut that rounding this to 16 bits is rounding the sum. `value` is the nearest
// float, so at even values one step towards the sum gives the odd neighbour.
ONNX_ACTS_HD inline float RoundedToOdd(float value, float lost) {
  const uint32_t bits = BitCast<uint32_t>(value), error = BitCast<uint32_t>(lost);
  // Beside infinities it is infinite or NaN: they stay.
  const uint32_t inexact = (error & 0x7fffffffu) - 1u < 0x7f7fffffu ? 1u : 0u;
  const uint32_t step = inexact & ~bits;
  const uint32_t inwards = 0u - ((bits ^ error) >> 31);  // all ones if so
  return BitCast<float>(bits + ((step ^ inwards) - inwards));
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_FLOAT16_H_
