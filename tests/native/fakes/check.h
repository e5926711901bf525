// CHECK(condition, printf format...) prints what failed; a test program ends with FailureCount().
#ifndef ONNX_ACTS_TESTS_CHECK_H_
#define ONNX_ACTS_TESTS_CHECK_H_

#include <cstdio>

inline int& FailureCount() {
  static int count = 0;
  return count;
}

// Prints the first failures only: a wrong constant fails at millions of inputs.
#define CHECK(condition, ...)                                     \
  do {                                                            \
    if (!(condition) && ++FailureCount() <= 20) {                 \
      std::printf("%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      std::printf(__VA_ARGS__);                                   \
      std::printf("\n");                                          \
    }                                                             \
  } while (false)

#endif  // ONNX_ACTS_TESTS_CHECK_H_
