#include "cpu/combined_factors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace onnx_acts {
namespace {

constexpr int64_t kMostSlopes = 65536;
constexpr int kNeighbours = 4;  // on each side

using Bytes = std::array<uint8_t, 256>;  // y of every x

constexpr Bytes AllBytes() {
  Bytes all = {};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint8_t>(i);
  return all;
}

constexpr Bytes kAll = AllBytes();

// The nearest neighbour of the exact factor that does; NaN where none does.
template <class Does>
float FindFactor(double exact, const Does& does) {
  float above = static_cast<float>(exact);
  float below = above;
  for (int step = 0; step <= kNeighbours; ++step) {
    if (does(above)) return above;
    if (does(below)) return below;
    above = std::nextafter(above, std::numeric_limits<float>::infinity());
    below = std::nextafter(below, -std::numeric_limits<float>::infinity());
  }
  return std::numeric_limits<float>::quiet_NaN();
}

class Search {
 public:
  Search(const QuantizedLoops& loops, const Quantization& quantization)
      : loops_(loops),
        quantization_(quantization),
        ratio_(static_cast<double>(quantization.x_scale) /
               static_cast<double>(quantization.y_scale)),
        combined_{0, quantization.x_zero, quantization.y_zero} {}

  // What is not negative, which comes first: it does not depend on the slope.
  bool FindNotNegative() {
    const Bytes wanted = Steps(1);
    combined_.not_negative = FindFactor(ratio_, [&](float factor) {
      const Bytes found = Products({factor, combined_.x_zero, combined_.y_zero}, factor);
      return std::equal(found.begin() + combined_.x_zero, found.end(),
                        wanted.begin() + combined_.x_zero);
    });
    return !std::isnan(combined_.not_negative);
  }

  // NaN where there is none.
  float FindFactorOf(float slope) const {
    const Bytes wanted = Steps(slope);
    return FindFactor(ratio_ * static_cast<double>(slope),
                      [&](float factor) { return Products(combined_, factor) == wanted; });
  }

  const Combined& combined() const { return combined_; }

 private:
  Bytes Steps(float slope) const {
    Bytes found;
    loops_.one_slope(kAll.data(), &slope, found.data(), kAll.size(), quantization_);
    return found;
  }

  Bytes Products(const Combined& combined, float factor) const {
    Bytes found;
    loops_.one_factor(kAll.data(), &factor, found.data(), kAll.size(), combined);
    return found;
  }

  const QuantizedLoops& loops_;
  const Quantization& quantization_;
  double ratio_;
  Combined combined_;
};

}  // namespace

std::unique_ptr<const CombinedFactors> FindCombinedFactors(const QuantizedLoops& loops,
                                                           const Quantization& quantization,
                                                           const float* slopes, int64_t count) {
  Search search(loops, quantization);
  if (count > kMostSlopes || !search.FindNotNegative()) return nullptr;
  auto found = std::make_unique<CombinedFactors>();
  found->combined = search.combined();
  found->factors.reserve(static_cast<std::size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    found->factors.push_back(search.FindFactorOf(slopes[i]));
    if (std::isnan(found->factors.back())) return nullptr;
  }
  return found;
}

}  // namespace onnx_acts
