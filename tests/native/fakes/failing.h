// Runs part of the library once for each allocation and each call of the runtime, which fails: it
// must come back as a status, and nothing may be left behind.
#ifndef ONNX_ACTS_TESTS_FAILING_H_
#define ONNX_ACTS_TESTS_FAILING_H_

#include <functional>
#include <string>

#include "fakes/fake_ort.h"

namespace onnx_acts::fake {

constexpr char kNoMemory[] = "onnx_acts: out of memory";

// Runs part of the library; null for success.
using Scenario = std::function<ort::Status*()>;

// What an undisturbed run must give.
struct Expected {
  std::string message;  // a part of it; "" for success
  long kept = 0;        // objects that are made once and live on
};

void FailEachAllocation(const std::string& what, const Scenario& scenario,
                        const Expected& expected = {});
void FailEachCall(const std::string& what, const Scenario& scenario, const Expected& expected = {});
void FailEach(const std::string& what, const Scenario& scenario, const Expected& expected = {});

// Failures so far.
long PutIn();

// With a fresh runtime of this kind, and options.
template <class Runtime>
ort::Status* RegisterOnce() {
  ort::SessionOptions options;
  return RegisterCustomOps(&options, &Runtime::kBase);
}

// What OnnxActsInfo gives, as a scenario's status.
template <class Runtime>
ort::Status* AskForInfo() {
  const bool given = OnnxActsInfo() != nullptr;
  return given ? nullptr : ort::CreateStatus(Runtime::Api(), ort::kFail, kNoMemory);
}

}  // namespace onnx_acts::fake

#endif  // ONNX_ACTS_TESTS_FAILING_H_
