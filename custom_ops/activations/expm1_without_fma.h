// The functions of expm1.h for processors without a fused multiply-add (x86-64-v2). Slower, and its
// last digits differ: each is within the same bounds of the truth.
//
//   x = k ln2 + r, |r| <= ln2 / 2
//   expm1(x) = (2^k - 1) + 2^k (r + r^2/2 + r^3 P(r))
//
// The leading terms are added first, and each rounding error that matters goes into the low part.
#ifndef ONNX_ACTS_EXPM1_WITHOUT_FMA_H_
#define ONNX_ACTS_EXPM1_WITHOUT_FMA_H_

#include "activations/real.h"

namespace onnx_acts {
namespace {

// An unevaluated sum.
template <class Real>
struct Pair {
  Real high, low;
};

//   kLn2High       so few bits that k * kLn2High is exact; kLn2High + kLn2Low is ln2
//   kLinearBelow   below it expm1(x) is x
template <class Real>
struct SplitLayout;

template <>
struct SplitLayout<float> {
  static constexpr float kLn2High = 0x1.62e4p-1f, kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr float kLinearBelow = 0x1p-27f;
};

template <>
struct SplitLayout<double> {
  static constexpr double kLn2High = 0x1.62e42feep-1, kLn2Low = 0x1.a39ef35793c76p-33;
  static constexpr double kLinearBelow = 0x1p-57;
};

// P(r) = (exp(r) - 1 - r - r^2/2) / r^3 to 0.005 units of the result (Remez exchange).
ONNX_ACTS_HD inline float CubicAndUp(float r) {
  const float tail = (1.96051520e-4f * r + 1.39349371e-3f) * r + 8.33384774e-3f;
  return (tail * r + 4.16664649e-2f) * r + 0.166666643f;
}

// The same to 0.08 units.
ONNX_ACTS_HD inline double CubicAndUp(double r) {
  const double third = (2.4851894211850834e-8 * r + 2.7624646390328789e-7) * r;
  const double second = ((third + 2.7558067848457590e-6) * r + 2.4801510130642604e-5) * r;
  const double first = ((second + 1.9841268953652327e-4) * r + 1.3888888925565278e-3) * r;
  return ((first + 8.3333333337545750e-3) * r + 4.1666666666607254e-2) * r + 1.6666666666666005e-1;
}

// x with the lower half of its significand cleared.
template <class Real>
ONNX_ACTS_HD inline Real LeadingBits(Real x) {
  using L = RealLayout<Real>;
  return BitCast<Real>(BitCast<typename L::Bits>(x) & L::kLeadingMask);
}

// expm1(x) for x < 0; some number for any other x, which the caller discards.
template <class Real>
ONNX_ACTS_HD inline Pair<Real> PairExpm1(Real x) {
  using L = RealLayout<Real>;
  const Real clamped = NotTooLow(x);
  const Exponent<Real> two = ExponentFrom(clamped * L::kInverseLn2 + L::kRound);
  const Real k = two.k, power = two.power;

  // r, and the part of it that was rounded off.
  const Real first = clamped - k * SplitLayout<Real>::kLn2High;
  const Real second = k * SplitLayout<Real>::kLn2Low;
  const Real r = first - second;
  const Real r_low = (first - r) - second;
  const Real square = r * r, half_square = Real(0.5) * square;
  const Real sum = r + half_square;
  const Real sum_low = (r - sum) + half_square;
  const Real rest = square * r * CubicAndUp(r) + (sum_low + r_low);

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

// alpha * expm1(x) for x < 0: the product of the leading halves is exact, what remains is small.
// Where expm1(x) is x, alpha * x is right in subnormal numbers too.
template <class Real>
ONNX_ACTS_HD inline Real ScaledExpm1(Real x, Real alpha) {
  using L = RealLayout<Real>;
  const bool tiny = alpha < L::kTiny && alpha > -L::kTiny;
  const Real scaled = tiny ? alpha * L::kScaleUp : alpha;
  const Real alpha_head = LeadingBits(scaled), alpha_tail = scaled - alpha_head;

  const Pair<Real> e = PairExpm1(x);
  const Real head = LeadingBits(e.high);
  const Real tail = (e.high - head) + e.low;
  const Real product = alpha_head * head + (alpha_tail * head + scaled * tail);
  const Real y = (tiny ? Real(1) / L::kScaleUp : Real(1)) * product;
  return x > -SplitLayout<Real>::kLinearBelow ? alpha * x : y;
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_EXPM1_WITHOUT_FMA_H_
