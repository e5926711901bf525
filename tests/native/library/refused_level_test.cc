// A process whose ONNX_ACTS_ISA names no level.

#include <cstdlib>
#include <cstring>

#include "fakes/cases.h"
#include "fakes/failing.h"

namespace onnx_acts::fake {
namespace {

using Newest = Runtime<23>;

TEST(Registration, "the library says that there is no such level, and registers nothing") {
  FailEach("a level that does not exist", RegisterOnce<Newest>,
           {"ONNX_ACTS_ISA=v9: no such instruction-set level"});
}

TEST(Info, "information comes all the same") {
  FailEachAllocation("OnnxActsInfo", AskForInfo<Newest>);
  CHECK(std::strstr(OnnxActsInfo(), "\"isa\": null") != nullptr, "%s", OnnxActsInfo());
}

}  // namespace
}  // namespace onnx_acts::fake

int main(int count, char** arguments) {
  setenv("ONNX_ACTS_ISA", "v9", 1);
  return RunTests(count, arguments);
}
