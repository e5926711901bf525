// What this library is, for `onnx-acts info`.

#include <string>
#include <vector>

#include "backends.h"
#include "isa.h"
#include "op.h"
#include "ort_abi.h"

namespace onnx_acts {
namespace {

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }

std::string List(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + Quoted(item);
  return "[" + text + "]";
}

std::string MakeInfo() {
  const IsaChoice& isa = ChooseIsa();
  std::vector<std::string> ops;
  for (const OpSpec& spec : kOps) ops.push_back(spec.name);
  std::string text = "{\"version\": " + Quoted(kLibraryVersion);
  text += ", \"domain\": " + Quoted(kDomain);
  text += ", \"isa\": " + (isa.loops == nullptr ? "null" : Quoted(isa.level));
  text += ", \"isa_error\": " + (isa.loops == nullptr ? Quoted(isa.error) : "null");
  text += ", \"isa_levels\": " + List(CompiledLevels());
  text += ", \"ops\": " + List(ops);
  text += ", \"element_types\": " + List({"float16", "bfloat16", "float32", "float64"});
  const CudaInfo cuda = DescribeCuda();
  text += std::string(", \"cuda\": ") + (cuda.error.empty() ? "true" : "false");
  text += ", \"cuda_error\": " + (cuda.error.empty() ? "null" : Quoted(cuda.error));
  text += ", \"cuda_architectures\": " + List(cuda.architectures);
  text += ", \"ort_api_floor\": " + std::to_string(ort::kFloorVersion);
  return text + "}";
}

}  // namespace
}  // namespace onnx_acts

// A JSON object in static storage; null if there is no memory for it.
extern "C" __attribute__((visibility("default"))) const char* OnnxActsInfo() {
  try {
    static const std::string info = onnx_acts::MakeInfo();
    return info.c_str();
  } catch (...) {
    return nullptr;
  }
}
