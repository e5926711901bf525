#include "fakes/failing.h"

#include <cstdlib>
#include <new>
#include <utility>

#include "fakes/check.h"

namespace {

struct Allocations {
  bool counted = false;
  long calls = 0;
  long failing = 0;
};
Allocations allocations;

}  // namespace

void* operator new(std::size_t size) {
  const bool counted = allocations.counted && onnx_acts::fake::inside == 0;
  if (counted && ++allocations.calls == allocations.failing) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace onnx_acts::fake {
namespace {

constexpr char kInjectedMessage[] = "put in by the test";

long put_in = 0;  // failures so far

std::string RunFailing(const Scenario& scenario, long allocation, long call) {
  allocations = {true, 0, allocation};
  events.calls = 0;
  events.failing = call;
  ort::Status* const status = scenario();
  allocations.counted = false;
  events.failing = 0;
  return Take(status);
}

void CheckUndisturbed(const std::string& what, const std::string& message,
                      const Expected& expected) {
  const bool as_expected = expected.message.empty()
                               ? message.empty()
                               : message.find(expected.message) != std::string::npos;
  CHECK(as_expected, "%s: '%s', expected '%s'", what.c_str(), message.c_str(),
        expected.message.c_str());
}

// Runs the scenario until `run(turn)`, which says whether anything failed, is undisturbed.
void FailEach(const std::string& what, const char* failing, const Expected& expected,
              const std::function<std::pair<bool, std::string>(long turn)>& run,
              const char* message_of_failure) {
  const long before = events.live;
  for (long turn = 1;; ++turn) {
    const auto [failed, message] = run(turn);
    const long left = events.live - before;
    if (!failed) {
      CHECK(left == expected.kept, "%s: %ld objects left", what.c_str(), left);
      return CheckUndisturbed(what, message, expected);
    }
    ++put_in;
    CHECK(left <= expected.kept, "%s, %s %ld: %ld objects left", what.c_str(), failing, turn, left);
    CHECK(message == message_of_failure, "%s, %s %ld: '%s'", what.c_str(), failing, turn,
          message.c_str());
  }
}

}  // namespace

long PutIn() { return put_in; }

void FailEachAllocation(const std::string& what, const Scenario& scenario,
                        const Expected& expected) {
  const auto run = [&](long turn) {
    const std::string message = RunFailing(scenario, turn, 0);
    return std::make_pair(allocations.calls >= turn, message);
  };
  FailEach(what, "allocation", expected, run, kNoMemory);
}

void FailEachCall(const std::string& what, const Scenario& scenario, const Expected& expected) {
  const auto run = [&](long turn) {
    const std::string message = RunFailing(scenario, 0, turn);
    return std::make_pair(events.calls >= turn, message);
  };
  FailEach(what, "call", expected, run, kInjectedMessage);
}

void FailEach(const std::string& what, const Scenario& scenario, const Expected& expected) {
  FailEachAllocation(what, scenario, expected);
  FailEachCall(what, scenario, expected);
}

}  // namespace onnx_acts::fake
