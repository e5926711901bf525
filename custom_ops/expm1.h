// exp(x) - 1 for x < 0 without branches, tables or library calls, as an unevaluated sum of two
// numbers. CPU and CUDA compile this text.
//
//   x = k ln2 + r, |r| <= ln2 / 2
//   expm1(x) = (2^k - 1) + 2^k (r + r^2/2 + r^3 P(r))
//
// The leading terms are added first, and each rounding error that matters goes into the low part.
#ifndef ONNX_ACTS_EXPM1_H_
#define ONNX_ACTS_EXPM1_H_

#include "host_device.h"

namespace onnx_acts {
namespace {

template <class Real>
struct Pair {
  Real high, low;
};

// The numbers that depend on the floating-point format.
//   kOne           the bits of 1
//   kLeadingMask   keeps the upper half of a significand
//   kRound         adding it rounds to an integer, which is left in the low bits
//   kLowestPower   2^k - 1 is exact down to this k; below it r grows instead, which does no harm
//   kLowestX       below it expm1 stays at -1 plus less than a tenth of a unit
//   kLn2High       so few bits that k * kLn2High is exact; kLn2High + kLn2Low is ln2
//   kTinyFactor, kScaleUp, kLinearBelow   see Elu
template <class Real>
struct RealLayout;

template <>
struct RealLayout<float> {
  using Bits = uint32_t;
  using Int = int32_t;
  static constexpr int kFractionBits = 23;
  static constexpr Bits kFractionMask = 0x7fffff, kLeadingMask = 0xfffff000, kOne = 0x3f800000;
  static constexpr float kRound = 0x1.8p23f, kLowestPower = -24.0f, kLowestX = -18.5f;
  static constexpr float kInverseLn2 = 0x1.715476p+0f;
  static constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr float kTinyFactor = 0x1p-60f, kScaleUp = 0x1p64f, kLinearBelow = 0x1p-27f;

  // P: (exp(r) - 1 - r - r^2/2) / r^3 to 0.005 units of the result (Remez exchange).
  static ONNX_ACTS_HD inline float Polynomial(float r) {
    const float tail = (1.96051520e-4f * r + 1.39349371e-3f) * r + 8.33384774e-3f;
    return (tail * r + 4.16664649e-2f) * r + 0.166666643f;
  }
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
  static constexpr double kLn2High = 0x1.62e42feep-1, kLn2Low = 0x1.a39ef35793c76p-33;
  static constexpr double kTinyFactor = 0x1p-500, kScaleUp = 0x1p512, kLinearBelow = 0x1p-57;

  // P to 0.08 units.
  static ONNX_ACTS_HD inline double Polynomial(double r) {
    const double third = (2.4851894211850834e-8 * r + 2.7624646390328789e-7) * r;
    const double second = ((third + 2.7558067848457590e-6) * r + 2.4801510130642604e-5) * r;
    const double first = ((second + 1.9841268953652327e-4) * r + 1.3888888925565278e-3) * r;
    return ((first + 8.3333333337545750e-3) * r + 4.1666666666607254e-2) * r +
           1.6666666666666005e-1;
  }
};

// x with the lower half of its significand cleared.
template <class Real>
ONNX_ACTS_HD inline Real LeadingBits(Real x) {
  using L = RealLayout<Real>;
  return BitCast<Real>(BitCast<typename L::Bits>(x) & L::kLeadingMask);
}

template <class Int>
ONNX_ACTS_HD inline Int Lesser(Int a, Int b) {
  return a < b ? a : b;
}

template <class Int>
ONNX_ACTS_HD inline Int Greater(Int a, Int b) {
  return a > b ? a : b;
}

// expm1(x) for x < 0; some number for any other x, which the caller discards.
//
// Both clamps compare bits as integers (floats of one sign are ordered like their bits): GCC turns
// that into one instruction, but splits the whole loop in three for a comparison of floats.
template <class Real>
ONNX_ACTS_HD inline Pair<Real> Expm1OfNegative(Real x) {
  using L = RealLayout<Real>;
  using Int = typename L::Int;
  using Bits = typename L::Bits;
  const Real clamped = BitCast<Real>(Lesser(BitCast<Int>(x), BitCast<Int>(L::kLowestX)));
  const Int rounded = Greater(BitCast<Int>(clamped * L::kInverseLn2 + L::kRound),
                              BitCast<Int>(L::kLowestPower + L::kRound));
  const Real k = BitCast<Real>(rounded) - L::kRound;
  const Real power = BitCast<Real>((static_cast<Bits>(rounded) << L::kFractionBits) + L::kOne);

  // r, and the part of it that was rounded off.
  const Real first = clamped - k * L::kLn2High;
  const Real second = k * L::kLn2Low;
  const Real r = first - second;
  const Real r_low = (first - r) - second;
  const Real square = r * r, half_square = Real(0.5) * square;
  const Real sum = r + half_square;
  const Real sum_low = (r - sum) + half_square;
  const Real rest = square * r * L::Polynomial(r) + (sum_low + r_low);

  // |2^k - 1| >= |2^k sum|, or k = 0 and the first is 0: either way `lost` is exact.
  const Real whole = power - Real(1);
  const Real part = power * sum;
  const Real high = whole + part;
  const Real lost = part - (high - whole);
  return {high, power * rest + lost};
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_EXPM1_H_
