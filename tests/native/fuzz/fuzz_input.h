// A fuzzer's bytes, read as small decisions. Past their end everything is zero.
#ifndef ONNX_ACTS_TESTS_FUZZ_INPUT_H_
#define ONNX_ACTS_TESTS_FUZZ_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace onnx_acts {

class FuzzInput {
 public:
  FuzzInput(const uint8_t* bytes, std::size_t count) : bytes_(bytes), end_(bytes + count) {}

  uint8_t Byte() { return bytes_ == end_ ? uint8_t{0} : *bytes_++; }

  // 0 ... limit - 1; limit <= 65536.
  int64_t Below(int64_t limit) {
    const int64_t high = limit > 256 ? Byte() : 0;
    return (high * 256 + Byte()) % limit;
  }

  bool OneIn(int64_t chances) { return Below(chances) == chances - 1; }

  uint64_t Word() {
    uint64_t word = 0;
    for (int i = 0; i < 8; ++i) word = word << 8 | Byte();
    return word;
  }

  // A size of a dimension that no program would want.
  int64_t HostileSize() {
    const int64_t sizes[] = {-1, 0, 1, INT64_MAX, INT64_MIN, int64_t{1} << 32, -7, 2};
    return sizes[Below(8)];
  }

  std::vector<int64_t> HostileShape() {
    std::vector<int64_t> sizes(static_cast<std::size_t>(OneIn(4) ? Below(70) : Below(5)));
    for (int64_t& size : sizes) size = OneIn(2) ? HostileSize() : Below(9);
    return sizes;
  }

  // A shape of at most `most` elements.
  std::vector<int64_t> SmallShape(int64_t most) {
    std::vector<int64_t> sizes(static_cast<std::size_t>(OneIn(16) ? Below(70) : Below(7)));
    int64_t count = 1;
    for (int64_t& size : sizes) {
      size = OneIn(3) ? 1 + Below(300) : 1 + Below(4);
      if (count * size > most) size = 1;
      count *= size;
    }
    if (!sizes.empty() && OneIn(32)) sizes.back() = 0;
    return sizes;
  }

  // A slope's shape for this x: usually one that broadcasts.
  std::vector<int64_t> SlopeShape(const std::vector<int64_t>& x) {
    const int64_t dropped = Below(static_cast<int64_t>(x.size()) + 1);
    std::vector<int64_t> sizes(x.begin() + dropped, x.end());
    const bool hostile = OneIn(8);
    for (int64_t& size : sizes) {
      if (OneIn(2)) size = 1;
      if (hostile && OneIn(3)) size = HostileSize();
    }
    return sizes;
  }

 private:
  const uint8_t* bytes_;
  const uint8_t* end_;
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_TESTS_FUZZ_INPUT_H_
