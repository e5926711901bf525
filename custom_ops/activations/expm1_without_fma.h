// The functions of expm1.h for processors without a fused multiply-add (x86-64-v2). Slower, and its
// last digits differ: each is within the same bounds of the truth.
//
//   x = k ln2 + r, |r| <= ln2 / 2
//   expm1(x) = (2^k - 1) + 2^k (r + r^2/2 + r^3 P(r))
//
// The leading terms are added first, and each rounding error that matters goes into the low part.
#ifndef ONNX_ACTS_EXPM1_WITHOUT_FMA_H_
#define ONNX_ACTS_EXPM1_WITHOUT_FMA_H_

#include "activations/expm1_double.h"
#include "activations/real.h"

namespace onnx_acts {
namespace {

//   kHigh          so few bits that k * kHigh is exact; kHigh + kLow is ln2
//   kLinearAbove   above it expm1(x) is x
template <class Real>
struct SplitLayout;

template <>
struct SplitLayout<float> {
  static constexpr float kHigh = 0x1.62e4p-1f, kLow = 0x1.7f7d1cp-20f;
  static constexpr float kLinearAbove = -0x1p-27f;
};

template <>
struct SplitLayout<double> {
  static constexpr double kHigh = kLn2High, kLow = kLn2Low;
  static constexpr double kLinearAbove = onnx_acts::kLinearAbove;
};

// P(r) = (exp(r) - 1 - r - r^2/2) / r^3 to 0.005 units of the result (Remez exchange).
ONNX_ACTS_HD inline float CubicAndUp(float r) {
  const float tail = (1.96051520e-4f * r + 1.39349371e-3f) * r + 8.33384774e-3f;
  return (tail * r + 4.16664649e-2f) * r + 0.166666643f;
}

// x with the lower half of its significand cleared.
template <class Real>
ONNX_ACTS_HD inline Real LeadingBits(Real x) {
  using L = RealLayout<Real>;
  return BitCast<Real>(BitCast<typename L::Bits>(x) & L::kLeadingMask);
}

// What half the square of r + r_low is above half of `square`, which is r * r rounded.
ONNX_ACTS_HD inline double HalfSquareLow(double r, double r_low, double square) {
  const double head = LeadingBits(r), tail = r - head;
  return 0.5 * ((head * head - square) + (head + r) * tail) + r * r_low;
}

// expm1(x) for x < 0; some number for any other x, which the caller discards.
template <class Real>
ONNX_ACTS_HD inline Pair<Real> PairExpm1(Real x) {
  using L = RealLayout<Real>;
  const Real clamped = NotTooLow(x);
  const Exponent<Real> two = ExponentFrom(clamped * L::kInverseLn2 + L::kRound);
  const Real k = two.k, power = two.power;

  // r, and the part of it that was rounded off.
  const Real first = clamped - k * SplitLayout<Real>::kHigh;
  const Real second = k * SplitLayout<Real>::kLow;
  const Real r = first - second;
  const Real r_low = (first - r) - second;
  const Real square = r * r, half_square = Real(0.5) * square;
  const Real sum = r + half_square;
  const Real sum_low = (r - sum) + half_square;
  Real low = sum_low + r_low;
  // (In float 0.1 units are left out here.)
  if constexpr (sizeof(Real) == 8) low += HalfSquareLow(r, r_low, square);
  const Real rest = square * r * CubicAndUp(r) + low;

  // |2^k - 1| >= |2^k sum|, or k = 0 and the first is 0: either way `lost` is exact.
  const Real whole = power - Real(1);
  const Real part = power * sum;
  const Real high = whole + part;
  const Real lost = part - (high - whole);
  return {high, power * rest + lost};
}

// expm1(x) for x < 0.
template <class Real>
ONNX_ACTS_HD inline Real Expm1(Real x) {
  const Pair<Real> e = PairExpm1(x);
  return e.high + e.low;
}

// (high + low) * scale.down, where |high| is the larger. In float, it is rounded twice where it is
// subnormal.
ONNX_ACTS_HD inline float ScaledDown(float high, float low, Scale<float> scale) {
  return (high + low) * scale.down;
}

// In double, what the two roundings lose is added in one more.
ONNX_ACTS_HD inline double ScaledDown(double high, double low, Scale<double> scale) {
  const double sum = high + low, sum_low = low - (sum - high);
  const double rounded = sum * scale.down;
  const double lost = sum - rounded * scale.up;  // exact
  return rounded + scale.down * (lost == 0.0 ? 0.0 : lost + sum_low);
}

// alpha * expm1(x) for x < 0: the product of the leading halves is exact, what remains is small.
// Where expm1(x) is x, alpha * x is right in subnormal numbers too.
template <class Real>
ONNX_ACTS_HD inline Real ScaledExpm1(Real x, Real alpha) {
  const Scale<Real> scale = ScaleOf(alpha);
  const Real scaled = alpha * scale.up;
  const Real alpha_head = LeadingBits(scaled), alpha_tail = scaled - alpha_head;

  const Pair<Real> e = PairExpm1(x);
  const Real head = LeadingBits(e.high);
  const Real tail = (e.high - head) + e.low;
  const Real y = ScaledDown(alpha_head * head, alpha_tail * head + scaled * tail, scale);
  return x > SplitLayout<Real>::kLinearAbove ? alpha * x : y;
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_EXPM1_WITHOUT_FMA_H_
