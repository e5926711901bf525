// expm1(x) = exp(x) - 1 and alpha * expm1(x) for x < 0, without branches, tables or library calls,
// for targets with a fused multiply-add. CPU and CUDA compile this text.
//
//   x = k ln2 + r,  expm1(x) = 2^k e + (2^k - 1),  e = expm1(r)
//
// float takes the shortest way, double keeps what rounding takes from the leading terms.
#ifndef ONNX_ACTS_EXPM1_H_
#define ONNX_ACTS_EXPM1_H_

#include "activations/expm1_double.h"
#include "activations/real.h"

namespace onnx_acts {
namespace {

// In float, e = r + r q with q = r/2 + r^2 P(r), and -0.472 < r < 0.222: the bounds are unequal,
// since the error of e counts most where k = -1 and r > 0. There 2^k e takes leading digits from
// 2^k - 1, and e stays below 1/4.

// P(r) = (expm1(r) - r - r^2/2) / r^3, so that e is good to 0.007 units (weighted minimax fit).
ONNX_ACTS_HD inline float CubicAndUp(float r) {
  const float high = Fma(Fma(0x1.787b06p-13f, r, 0x1.6b7d5p-10f), r, 0x1.1119b6p-7f);
  return Fma(Fma(high, r, 0x1.5555a8p-5f), r, 0x1.555554p-3f);
}

// power = 2^k, r, q and e as above.
struct Expm1Parts {
  float power, r, q, e;
};

// For x < 0; some numbers for any other x, which the caller discards.
ONNX_ACTS_HD inline Expm1Parts SplitExpm1(float x) {
  using L = RealLayout<float>;
  const float clamped = NotTooLow(x);
  // Adding 0.18 before rounding moves the bounds of r.
  const Exponent<float> two = ExponentFrom(Fma(clamped, L::kInverseLn2, 0.18f) + L::kRound);
  // Exact for k = -1, and ln2 is 0.03 units from its float.
  const float r = Fma(two.k, -0x1.62e43p-1f, clamped);
  const float q = Fma(r * r, CubicAndUp(r), 0.5f * r);
  return {two.power, r, q, Fma(r, q, r)};
}

// expm1(x) for x < 0, within 0.70 units in the last place.
ONNX_ACTS_HD inline float Expm1(float x) {
  const Expm1Parts parts = SplitExpm1(x);
  return Fma(parts.power, parts.e, parts.power - 1.0f);
}

// alpha * expm1(x) for x < 0, within 1 unit: what rounding takes from e and from the sum is kept in
// `low` until the product is rounded.
ONNX_ACTS_HD inline float ScaledExpm1(float x, float alpha) {
  const Expm1Parts parts = SplitExpm1(x);
  const float e_low = Fma(parts.r, parts.q, parts.r - parts.e);
  const float whole = parts.power - 1.0f;
  const float high = Fma(parts.power, parts.e, whole);
  const float low = Fma(parts.power, e_low, Fma(parts.power, parts.e, whole - high));
  const Scale<float> scale = ScaleOf(alpha);
  const float scaled = alpha * scale.up;
  return scale.down * Fma(scaled, high, scaled * low);
}

// In double, e = r + r^2/2 + r^3 P(r) with |r| < ln2 / 2.

// expm1(x) for x < 0, as a sum; `low` is 2^-5 of `high` at most.
ONNX_ACTS_HD inline Pair<double> PairExpm1(double x) {
  using L = RealLayout<double>;
  const double clamped = NotTooLow(x);
  const Exponent<double> two = ExponentFrom(Fma(clamped, L::kInverseLn2, L::kRound));
  const double first = Fma(two.k, -kLn2High, clamped);  // exact
  const double r = Fma(two.k, -kLn2Low, first);
  const double r_low = Fma(two.k, -kLn2Low, first - r);
  const double half = 0.5 * r;
  const double sum = Fma(half, r, r);
  const double sum_low = Fma(r, r_low, Fma(half, r, r - sum)) + r_low;
  const double rest = Fma(r * r * r, CubicAndUp(r), sum_low);
  // |2^k - 1| >= |2^k sum|, or k = 0 and the first is 0: either way what is lost is exact.
  const double whole = two.power - 1.0;
  const double high = Fma(two.power, sum, whole);
  return {high, Fma(two.power, rest, Fma(two.power, sum, whole - high))};
}

// expm1(x) for x < 0, within 0.6 units.
ONNX_ACTS_HD inline double Expm1(double x) {
  const Pair<double> e = PairExpm1(x);
  return e.high + e.low;
}

// alpha * expm1(x) for x < 0, within 0.6 units. The product is rounded where it is needed, maybe to
// a subnormal number; what that loses is computed scaled up, and added in one more rounding.
ONNX_ACTS_HD inline double ScaledExpm1(double x, double alpha) {
  const Pair<double> e = PairExpm1(x);
  const Scale<double> scale = ScaleOf(alpha);
  const double scaled = alpha * scale.up;
  const double product = alpha * e.high;
  const double lost = Fma(scaled, e.high, -(product * scale.up));
  const double y = Fma(scale.down, Fma(scaled, e.low, lost), product);
  return x > kLinearAbove ? product : y;  // which may be -0
}

}  // namespace
}  // namespace onnx_acts

#endif  // ONNX_ACTS_EXPM1_H_
