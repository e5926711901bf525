// float and double as formats: their bits, and what lies between arithmetic and a format.
#ifndef ONNX_ACTS_REAL_H_
#define ONNX_ACTS_REAL_H_

#include "activations/host_device.h"

#ifdef __CUDACC__
#include <math.h>
#endif

// Where a fused multiply-add is one instruction, of the targets that onnx-acts is built for:
// x86-64-v3 and above, aarch64, CUDA.
#if defined(__FMA__) || defined(__CUDACC__) || defined(__aarch64__)
#define ONNX_ACTS_HAS_FMA 1
#else
#define ONNX_ACTS_HAS_FMA 0
#endif

namespace onnx_acts {
namespace {

// The numbers that depend on the format alone.
//   kOne           the bits of 1
//   kLeadingMask   keeps the upper half of a significand
//   kRound         adding it rounds to an integer, which is left in the low bits
//   kLowestPower   2^k - 1 is exact down to this k
//   kLowestX       below it expm1 stays at -1 plus less than a tenth of a unit
//   kTiny          see IsTiny
//   kScaleUp       what a tiny factor is multiplied by first
template <class Real>
struct RealLayout;

template <>
struct RealLayout<float> {
  using Bits = uint32_t;
  using Int = int32_t;
  static constexpr int kFractionBits = 23;
  static constexpr Bits kFractionMask = 0x7fffff, kLeadingMask = 0xfffff000, kOne = 0x3f800000;
  static constexpr float kRound = 0x1.8p23f, kLowestPower = -24.0f, kLowestX = -18.5f;
  static constexpr float kInverseLn2 = 0x1.715476p+0f, kTiny = 0x1p-60f, kScaleUp = 0x1p64f;
};

template <>
struct RealLayout<double> {
  using Bits = uint64_t;
  using Int = int64_t;
  static constexpr int kFractionBits = 52;
  static constexpr Bits kFractionMask = 0xfffffffffffff, kLeadingMask = ~Bits{0x7ffffff};
  static constexpr Bits kOne = 0x3ff0000000000000;
  static constexpr double kRound = 0x1.8p52, kLowestPower = -53.0, kLowestX = -39.0;
  static constexpr double kInverseLn2 = 0x1.71547652b82fep+0;
  static constexpr double kTiny = 0x1p-500, kScaleUp = 0x1p512;
};

// The two clamps of expm1 compare bits as integers (floats of one sign are ordered like their
// bits): GCC turns that into one instruction, but splits the whole loop in three for a comparison
// of floats.

// x, but not below kLowestX; for x < 0.
template <class Real>
ONNX_ACTS_HD inline Real NotTooLow(Real x) {
  using L = RealLayout<Real>;
  using Int = typename L::Int;
  return BitCast<Real>(Lesser(BitCast<Int>(x), BitCast<Int>(L::kLowestX)));
}

// Whether products with a factor may be subnormal, and lose digits.
template <class Real>
ONNX_ACTS_HD inline bool IsTiny(Real factor) {
  return factor < RealLayout<Real>::kTiny && factor > -RealLayout<Real>::kTiny;
}

// What a factor is multiplied by before its products, and these after: 1 if it is not tiny.
template <class Real>
struct Scale {
  Real up, down;
};

template <class Real>
ONNX_ACTS_HD inline Scale<Real> ScaleOf(Real factor) {
  constexpr Real kUp = RealLayout<Real>::kScaleUp, kDown = 1 / kUp;
  const bool is_tiny = IsTiny(factor);
  return {is_tiny ? kUp : Real(1), is_tiny ? kDown : Real(1)};
}

// A whole number and two to its power.
template <class Real>
struct Exponent {
  Real k, power;
};

// From k + kRound; k is not below kLowestPower. (What is left of x grows instead, which does no
// harm so far below.)
template <class Real>
ONNX_ACTS_HD inline Exponent<Real> ExponentFrom(Real shifted) {
  using L = RealLayout<Real>;
  using Int = typename L::Int;
  using Bits = typename L::Bits;
  const Int rounded = Greater(BitCast<Int>(shifted), BitCast<Int>(L::kLowestPower + L::kRound));
  const Bits power = (static_cast<Bits>(rounded) << L::kFractionBits) + L::kOne;
  return {BitCast<Real>(rounded) - L::kRound, BitCast<Real>(power)};
}

// x where x < 0, to be multiplied; elsewhere another number. Clang 14 makes
// x < 0 ? slope * x : x a product with slope or 1 for every x, in which signalling NaNs would not
// pass through; it does not know that this is x.
template <class Real>
ONNX_ACTS_HD inline Real NegativeFactor(Real x) {
#ifdef __clang__
  using Bits = typename RealLayout<Real>::Bits;
  return BitCast<Real>(BitCast<Bits>(x) | Bits{1} << (8 * sizeof x - 1));
#else
  return x;
#endif
}

// a * b + c, rounded once. (No <math.h> for the loops of the CPU: see host_device.h.)
#if defined(__CUDACC__)
ONNX_ACTS_HD inline float Fma(float a, float b, float c) { return fmaf(a, b, c); }
ONNX_ACTS_HD inline double Fma(double a, double b, double c) { return fma(a, b, c); }
#elif ONNX_ACTS_HAS_FMA
ONNX_ACTS_HD inline float Fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
ONNX_ACTS_HD inline double Fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
#endif

// a * b + c, rounded once where that is one instruction and twice elsewhere.
ONNX_ACTS_HD inline double MulAdd(double a, double b, double c) {
#if ONNX_ACTS_HAS_FMA
  return Fma(a, b, c);
#else
  return a * b + c;
#endif
}

// a * b - rounded, where `rounded` is a * b in float: exact, if float can hold it.
ONNX_ACTS_HD inline float ProductError(float a, float b, float rounded) {
#if ONNX_ACTS_HAS_FMA
  return Fma(a, b, -rounded);
#else
  return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) -
                            static_cast<double>(rounded));
#endif
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_REAL_H_
