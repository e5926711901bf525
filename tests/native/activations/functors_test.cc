// The functors against long double: error in units in the last place, and the special values.

#include "activations/functors.h"

#include <cmath>
#include <initializer_list>
#include <limits>

#include "cpu/x86_levels.h"
#include "fakes/cases.h"

namespace onnx_acts {
namespace {

template <class Real>
constexpr Real kInf = std::numeric_limits<Real>::infinity();
template <class Real>
constexpr Real kNan = std::numeric_limits<Real>::quiet_NaN();

// |y - truth| in units in the last place of Real at truth.
template <class Real>
double UlpError(Real y, long double truth) {
  using Limits = std::numeric_limits<Real>;
  if (truth == 0) return y == 0 ? 0 : 1e9;
  int exponent = 0;
  std::frexp(std::fabs(truth), &exponent);
  if (exponent < Limits::min_exponent) exponent = Limits::min_exponent;
  const long double unit = std::ldexp(1.0L, exponent - Limits::digits);
  return static_cast<double>(std::fabs(static_cast<long double>(y) - truth) / unit);
}

template <class F, class Real>
Real Compute(Real x, Real parameter) {
  return F::ScalesExactly(parameter) ? F::template Apply<true>(x, parameter)
                                     : F::template Apply<false>(x, parameter);
}

// One accuracy promise: the largest error of ELU at this alpha.
struct EluRow {
  double alpha;
  double limit;
};

// Walks the negative numbers of Real in equal steps of their bits.
template <class Real, class Each>
void ForEachNegative(typename RealLayout<Real>::Bits step, Each each) {
  using Bits = typename RealLayout<Real>::Bits;
  const Bits last = BitCast<Bits>(-kInf<Real>);
  for (Bits bits = BitCast<Bits>(Real(-0.0)) + 1; bits <= last - step; bits += step) {
    each(BitCast<Real>(bits));
  }
}

template <class Real>
void TestElu(typename RealLayout<Real>::Bits step, const EluRow& row) {
  const Real alpha = static_cast<Real>(row.alpha);
  double worst = 0;
  Real worst_x = 0;
  ForEachNegative<Real>(step, [&](Real x) {
    const long double truth =
        static_cast<long double>(alpha) * std::expm1(static_cast<long double>(x));
    const double error = UlpError(Compute<Elu>(x, alpha), truth);
    if (error > worst) worst = error, worst_x = x;
  });
  std::printf("ELU %d bits, alpha %.9g: at most %.4f ULP, at %a\n", int{sizeof(Real)} * 8,
              static_cast<double>(alpha), worst, static_cast<double>(worst_x));
  CHECK(worst <= row.limit, "alpha %g: %f > %f", row.alpha, worst, row.limit);
}

TEST(EluAccuracy, "ELU stays within its units in the last place") {
  // 1.9999999 and 0.99999994 have the longest significands, 1e-38 and 1e-44 subnormal products.
  constexpr double kScaled = ONNX_ACTS_HAS_FMA ? 0.70 : 0.65;  // alpha is a power of two
  const EluRow rows[] = {{1.0, kScaled}, {0.5, kScaled},   {2.0, kScaled},    {0.3, 1.0},
                         {1.67, 1.0},    {1.9999999, 1.0}, {0.99999994, 1.0}, {-0.7, 1.0},
                         {1e-20, 1.0},   {1e-38, 1.0},     {1e-44, 1.0},      {3e38, 1.0}};
  for (const EluRow& row : rows) TestElu<float>(5003, row);
  const EluRow double_rows[] = {{1.0, 0.85}, {0.1, 1.0},    {1.6732632423543772, 1.0},
                                {-0.7, 1.0}, {1e-300, 1.0}, {1e-310, 1.0},
                                {1e308, 1.0}};
  for (const EluRow& row : double_rows) TestElu<double>(11000000000007, row);
}

// x, parameter and y; a NaN y means any NaN, and zeros are compared with their sign.
template <class Real>
struct SpecialRow {
  Real x, parameter, y;
};

template <class F, class Real>
void TestSpecial(const SpecialRow<Real>& row) {
  const Real y = Compute<F>(row.x, row.parameter);
  const bool same =
      std::isnan(row.y) ? std::isnan(y) : y == row.y && std::signbit(y) == std::signbit(row.y);
  CHECK(same, "x %a, parameter %a: %a, expected %a", static_cast<double>(row.x),
        static_cast<double>(row.parameter), static_cast<double>(y), static_cast<double>(row.y));
}

template <class Real>
void CheckSpecialValues() {
  const Real tiny = std::numeric_limits<Real>::denorm_min();
  const Real inf = kInf<Real>, nan = kNan<Real>;
  for (const Real parameter : {Real(0), Real(0.3), Real(-2), inf, -inf, nan}) {
    // NaN, both zeros and positive numbers pass through whatever the parameter is.
    for (const Real x : {nan, Real(0.0), Real(-0.0), tiny, Real(7), inf}) {
      TestSpecial<NegativeSlope>(SpecialRow<Real>{x, parameter, x});
      TestSpecial<Elu>(SpecialRow<Real>{x, parameter, x});
      TestSpecial<Relu>(SpecialRow<Real>{x, parameter, x});
    }
    TestSpecial<Relu>(SpecialRow<Real>{-inf, parameter, 0});
    TestSpecial<Elu>(SpecialRow<Real>{-inf, parameter, -parameter});
    TestSpecial<NegativeSlope>(SpecialRow<Real>{-inf, parameter, -inf * parameter});
  }
  TestSpecial<Elu>(SpecialRow<Real>{-tiny, 1, -tiny});
  TestSpecial<Elu>(SpecialRow<Real>{Real(-1e-25), 1, Real(-1e-25)});
  TestSpecial<Elu>(SpecialRow<Real>{Real(-1), 0, Real(-0.0)});
  TestSpecial<NegativeSlope>(SpecialRow<Real>{-tiny, 3, -3 * tiny});
  TestSpecial<NegativeSlope>(SpecialRow<Real>{Real(-1), 0, Real(-0.0)});
}

TEST(SpecialValues, "NaN, zeros, infinities and subnormal numbers give what the formula says") {
  CheckSpecialValues<float>();
  CheckSpecialValues<double>();
}

}  // namespace
}  // namespace onnx_acts

int main(int count, char** arguments) {
#ifdef __x86_64__
  constexpr int kSkipped = 77;  // to CTest
  if (ONNX_ACTS_HAS_FMA && !onnx_acts::HasLevel_v3()) return kSkipped;
#endif
  return RunTests(count, arguments);
}
