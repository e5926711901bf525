// Named cases of a test program: TEST(Name, "what holds") { ... }.
//
// The program runs all of them, in the order of its text; with a word, those whose name has it in;
// --list lists them. CMake makes a test of each (onnx_acts_add_cases).
#ifndef ONNX_ACTS_TESTS_CASES_H_
#define ONNX_ACTS_TESTS_CASES_H_

#include <cstring>
#include <vector>

#include "fakes/check.h"

struct TestCase {
  const char* name;
  const char* claim;
  void (*run)();
};

inline std::vector<TestCase>& TestCases() {
  static std::vector<TestCase> cases;
  return cases;
}

#define TEST(name, claim)                                                                    \
  void Test##name();                                                                         \
  const bool kRegistered##name = (TestCases().push_back({#name, claim, &Test##name}), true); \
  void Test##name()

// The program's exit status.
inline int RunTests(int count, char** arguments) {
  const char* const word = count > 1 ? arguments[1] : "";
  const bool listed = std::strcmp(word, "--list") == 0;
  int chosen = 0;
  for (const TestCase& test : TestCases()) {
    if (!listed && std::strstr(test.name, word) == nullptr) continue;
    ++chosen;
    std::printf("%s: %s\n", test.name, test.claim);
    std::fflush(stdout);  // if the case ends the program, this says which
    if (listed) continue;
    const int before = FailureCount();
    test.run();
    if (FailureCount() > before) std::printf("FAILED: %d times\n", FailureCount() - before);
  }
  if (chosen == 0) std::printf("no case has '%s' in its name\n", word);
  return chosen == 0 || FailureCount() != 0 ? 1 : 0;
}

#endif  // ONNX_ACTS_TESTS_CASES_H_
