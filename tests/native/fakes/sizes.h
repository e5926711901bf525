// Sizes of tensors, by their definition.
#ifndef ONNX_ACTS_TESTS_SIZES_H_
#define ONNX_ACTS_TESTS_SIZES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace onnx_acts {

using Sizes = std::vector<int64_t>;

inline int64_t Product(const Sizes& sizes) {
  int64_t product = 1;
  for (const int64_t size : sizes) product *= size;
  return product;
}

// "(2, 3)"
inline std::string Text(const Sizes& sizes) {
  std::string text;
  for (const int64_t size : sizes) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "(" + text + ")";
}

}  // namespace onnx_acts

#endif  // ONNX_ACTS_TESTS_SIZES_H_
