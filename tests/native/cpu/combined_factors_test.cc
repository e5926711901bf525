// PReLU of tensors of 8 bits in one product: where it is found it has the bits of the steps, and
// where no factor has them none is found.

#include "cpu/combined_factors.h"

#include <cmath>
#include <limits>
#include <random>

#include "cpu/isa.h"
#include "fakes/cases.h"

namespace onnx_acts {
namespace {

const QuantizedLoops& Loops8() { return ChooseIsa().loops->quantized; }

std::unique_ptr<const CombinedFactors> Find(const Quantization& quantization,
                                            const std::vector<float>& slopes) {
  return FindCombinedFactors(Loops8(), quantization, slopes.data(),
                             static_cast<int64_t>(slopes.size()));
}

// y of every x by the steps, in double as far as they do not round: the standard's own text.
uint8_t ByTheStandard(int x, float slope, const Quantization& q) {
  float real = static_cast<float>(x - q.x_zero) * q.x_scale;
  if (real < 0) real = real * slope;
  const double steps = std::nearbyint(static_cast<double>(real / q.y_scale)) + q.y_zero;
  return static_cast<uint8_t>(std::fmin(std::fmax(steps, 0), 255));
}

TEST(Bits, "factors have the bits of the steps, one for all elements or one for each") {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> scale(0.001f, 0.5f);
  std::normal_distribution<float> normal;
  for (int turn = 0; turn < 200; ++turn) {
    const Quantization q = {scale(random), scale(random), static_cast<int32_t>(random() % 256),
                            static_cast<int32_t>(random() % 256)};
    const std::vector<float> slopes = {0, 1, normal(random), normal(random), -normal(random)};
    const auto found = Find(q, slopes);
    if (found == nullptr) continue;
    for (std::size_t s = 0; s < slopes.size(); ++s) {
      for (const int length : {1, 31, 32, 33, 95, 256, 4096}) {
        std::vector<uint8_t> x(static_cast<std::size_t>(length)), one(x.size()), each(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint8_t>(i * 37 + 5);
        const std::vector<float> factors(x.size(), found->factors[s]);
        Loops8().one_factor(x.data(), &factors[0], one.data(), length, found->combined);
        Loops8().each_factor(x.data(), factors.data(), each.data(), length, found->combined);
        for (std::size_t i = 0; i < x.size(); ++i) {
          const int wanted = ByTheStandard(x[i], slopes[s], q);
          CHECK(one[i] == wanted, "one: x %d, slope %g: %d, not %d", x[i],
                static_cast<double>(slopes[s]), one[i], wanted);
          CHECK(each[i] == wanted, "each: x %d, slope %g: %d, not %d", x[i],
                static_cast<double>(slopes[s]), each[i], wanted);
        }
      }
    }
  }
}

TEST(Found, "scales and slopes that were learned have factors") {
  std::mt19937 random(11);
  std::uniform_real_distribution<float> scale(0.001f, 0.5f);
  std::uniform_real_distribution<float> slope(-2, 2);
  int found = 0;
  for (int turn = 0; turn < 1000; ++turn) {
    const Quantization q = {scale(random), scale(random), 128, static_cast<int32_t>(turn % 256)};
    found += Find(q, {slope(random), slope(random), slope(random)}) != nullptr ? 1 : 0;
  }
  CHECK(found >= 990, "%d of 1000", found);
}

TEST(NotFound, "ties that the steps round to both sides have none") {
  // With equal scales a slope of a half makes ties; (x - z) * s / s is not x - z for all of them.
  int missing = 0;
  for (int turn = 1; turn <= 100; ++turn) {
    const float scale = 0.01f + static_cast<float>(turn) * 0.0137f;
    missing += Find({scale, scale, 200, 128}, {0.5f}) == nullptr ? 1 : 0;
  }
  CHECK(missing > 0, "every one has a factor");
  CHECK(Find({0.03f, 0.02f, 100, 0}, {0.3f}) == nullptr, "what is not negative has ties");
}

TEST(Numbers, "a slope that is no number has no factor, an infinite one saturates") {
  const Quantization q = {0.037f, 0.021f, 100, 100};
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(Find(q, {std::numeric_limits<float>::quiet_NaN()}) == nullptr, "NaN becomes 0");
  for (const float slope : {infinity, -infinity}) {
    const auto found = Find(q, {slope});
    if (found == nullptr) continue;
    const uint8_t x = 99;
    uint8_t y = 7;
    Loops8().one_factor(&x, found->factors.data(), &y, 1, found->combined);
    CHECK(y == (slope > 0 ? 0 : 255), "%d", y);
  }
}

TEST(Many, "so many slopes that the search would take long are left alone") {
  const Quantization q = {0.037f, 0.021f, 100, 100};
  CHECK(Find(q, std::vector<float>(65536, 0.3f)) != nullptr, "65536");
  CHECK(Find(q, std::vector<float>(65537, 0.3f)) == nullptr, "65537");
}

}  // namespace
}  // namespace onnx_acts

int main(int count, char** arguments) { return RunTests(count, arguments); }
