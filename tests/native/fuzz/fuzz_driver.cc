// Where there is no libFuzzer: feeds a fuzz target with random bytes.
//
//   fuzz_TARGET SECONDS [FIRST]
//
// Input number n is the same in every run. After a failure `fuzz_TARGET 0 n` repeats it.

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, std::size_t count);
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

unsigned long number = 0;

// Says which input it was; the program is ending.
void PrintNumber() { std::printf("\nfailed: input number %lu\n", number), std::fflush(stdout); }

void OnAbort(int) {
  PrintNumber();
  _exit(1);
}

void RunOne() {
  std::mt19937_64 random(number);
  std::vector<uint8_t> bytes(random() % 400);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int count, char** arguments) {
  using Clock = std::chrono::steady_clock;
  if (count < 2) return std::puts("usage: fuzz_TARGET SECONDS [FIRST]"), 2;
  const auto end = Clock::now() + std::chrono::seconds(std::atol(arguments[1]));
  const unsigned long first = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 0;
  std::signal(SIGABRT, OnAbort);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(PrintNumber);
  number = first;
  do {
    RunOne();
    ++number;
  } while (Clock::now() < end);
  std::printf("%lu inputs\n", number - first);
}
