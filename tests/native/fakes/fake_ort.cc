#include "fakes/fake_ort.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "fakes/answering.h"

namespace onnx_acts::fake {

Events events;

namespace {

using ort::Attribute;
using ort::ErrorCode;
using ort::KernelContext;
using ort::KernelInfo;
using ort::Status;
using ort::TensorTypeAndShapeInfo;
using ort::Value;

// What a getter says of an attribute that the node lacks, or has in another kind.
Status* Refuse(const Attribute* found) {
  return found == nullptr ? Fails(ort::kFail, "no such attribute")
                          : Fails(ort::kInvalidArgument, "an attribute of another kind");
}

const Attribute* Find(const KernelInfo* info, const char* name) {
  const auto found = info->attributes.find(name);
  return found == info->attributes.end() ? nullptr : &found->second;
}

template <class T>
Status* GetOne(const KernelInfo* info, const char* name, Attribute::Kind kind, T Attribute::* from,
               T* out) {
  return Answer([&]() -> Status* {
    const Attribute* found = Find(info, name);
    if (found == nullptr || found->kind != kind) return Refuse(found);
    *out = found->*from;
    return nullptr;
  });
}

// A getter of lists succeeds for every attribute, with no elements if it is not such a list.
Status* GetList(const KernelInfo* info, const char* name, Attribute::Kind kind, std::size_t* size) {
  return Answer([&]() -> Status* {
    const Attribute* found = Find(info, name);
    if (found == nullptr) return Refuse(found);
    *size = found->kind == kind ? found->size : 0;
    return nullptr;
  });
}

Status* CreateStatus(ErrorCode code, const char* message) {
  const Inside scope;
  return Fails(code, message);
}

const char* GetErrorMessage(const Status* status) { return status->message.c_str(); }
ErrorCode GetErrorCode(const Status* status) { return static_cast<ErrorCode>(status->code); }

Status* CreateDomain(const char*, ort::CustomOpDomain** out) {
  return Done([&] { *out = Made(ort::CustomOpDomain{}); });
}

Status* AddOp(ort::CustomOpDomain* domain, const ort::CustomOp* op) {
  return Done([&] { domain->ops.push_back(op); });
}

Status* AddDomain(ort::SessionOptions* options, ort::CustomOpDomain* domain) {
  return Done([&] { options->domains.push_back(domain); });
}

Status* AddEntry(ort::SessionOptions* options, const char* key, const char* value) {
  return Done([&] { options->entries[key] = value; });
}

Status* HasEntry(const ort::SessionOptions* options, const char* key, int* out) {
  return Done([&] { *out = options->entries.count(key) != 0; });
}

Status* GetEntry(const ort::SessionOptions* options, const char* key, char* out,
                 std::size_t* size) {
  return Answer([&] {
    const std::string& value = options->entries.at(key);
    return CopyText(value.c_str(), value.size(), out, size);
  });
}

Status* GetData(Value* value, void** out) {
  return Done([&] { *out = value->data; });
}

Status* CastTypeInfo(const ort::TypeInfo* type, const TensorTypeAndShapeInfo** out) {
  return Done([&] { *out = type->is_tensor ? &type->tensor : nullptr; });
}

Status* GetType(const TensorTypeAndShapeInfo* info, ort::ElementType* out) {
  return Done([&] { *out = info->type; });
}

Status* GetRank(const TensorTypeAndShapeInfo* info, std::size_t* out) {
  return Done([&] { *out = info->sizes.size(); });
}

Status* GetSizes(const TensorTypeAndShapeInfo* info, int64_t* out, std::size_t rank) {
  return Done([&] {
    for (std::size_t i = 0; i < rank; ++i) out[i] = info->sizes.at(i);
  });
}

Status* GetNames(const TensorTypeAndShapeInfo* info, const char** out, std::size_t rank) {
  return Done([&] {
    for (std::size_t i = 0; i < rank; ++i) {
      out[i] = i < info->names.size() ? info->names[i].c_str() : "";
    }
  });
}

Status* GetTypeAndShape(const Value* value, TensorTypeAndShapeInfo** out) {
  return Done([&] { *out = Made(value->info); });
}

Status* GetAllocator(ort::Allocator** out) {
  static ort::Allocator allocator;
  return Done([&] { *out = &allocator; });
}

Status* GetFloat(const KernelInfo* info, const char* name, float* out) {
  return GetOne(info, name, Attribute::Kind::kFloat, &Attribute::single, out);
}

Status* GetInt(const KernelInfo* info, const char* name, int64_t* out) {
  return GetOne(info, name, Attribute::Kind::kInt, &Attribute::integer, out);
}

Status* GetString(const KernelInfo* info, const char* name, char* out, std::size_t* size) {
  return Answer([&]() -> Status* {
    const Attribute* found = Find(info, name);
    if (found == nullptr || found->kind != Attribute::Kind::kString) return Refuse(found);
    return CopyText(std::string(found->size, 's').c_str(), found->size, out, size);
  });
}

Status* GetTensor(const KernelInfo* info, const char* name, ort::Allocator*, Value** out) {
  return Answer([&]() -> Status* {
    const Attribute* found = Find(info, name);
    if (found == nullptr || found->kind != Attribute::Kind::kTensor) return Refuse(found);
    *out = Made(found->tensor);
    return nullptr;
  });
}

Status* GetFloats(const KernelInfo* info, const char* name, float*, std::size_t* size) {
  return GetList(info, name, Attribute::Kind::kFloats, size);
}

Status* GetInts(const KernelInfo* info, const char* name, int64_t*, std::size_t* size) {
  return GetList(info, name, Attribute::Kind::kInts, size);
}

Status* GetNodeName(const KernelInfo* info, char* out, std::size_t* size) {
  return Answer([&] { return CopyText(info->name.c_str(), info->name.size(), out, size); });
}

Status* GetInputTypeInfo(const KernelInfo* info, std::size_t index, ort::TypeInfo** out) {
  return Done([&] { *out = Made(info->inputs.at(index)); });
}

Status* GetConstantInput(const KernelInfo* info, std::size_t index, int* is_constant,
                         const Value** out) {
  return Done([&] {
    const auto found = info->constants.find(index);
    *is_constant = found == info->constants.end() ? 0 : 1;
    *out = *is_constant != 0 ? &found->second : nullptr;
  });
}

Status* GetOutputCount(const KernelContext* context, std::size_t* out) {
  return Done([&] { *out = context->outputs.size(); });
}

Status* GetInput(const KernelContext* context, std::size_t index, const Value** out) {
  return Done([&] { *out = &context->inputs.at(index); });
}

Status* GetOutput(KernelContext* context, std::size_t index, const int64_t* sizes, std::size_t rank,
                  Value** out) {
  return Answer([&]() -> Status* {
    Value& output = context->outputs.at(index);
    if (output.data == nullptr) return Fails(ort::kFail, "no memory for an output");
    output.info.sizes.assign(sizes, sizes + rank);
    *out = &output;
    return nullptr;
  });
}

Status* GetStream(const KernelContext* context, void** out) {
  return Done([&] { *out = context->stream; });
}

Status* GetInferredInput(const ort::ShapeInferContext* context, std::size_t,
                         TensorTypeAndShapeInfo** out) {
  return Done([&] { *out = const_cast<TensorTypeAndShapeInfo*>(&context->x); });
}

Status* SetInferredOutput(ort::ShapeInferContext* context, std::size_t,
                          const TensorTypeAndShapeInfo* info) {
  return Done([&] { context->y = *info; });
}

void RunTasks(void (*task)(void*, std::size_t), std::size_t total, int threads, void* data) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < total; i = next++) task(data, i);
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
}

Status* ParallelFor(const KernelContext* context, void (*task)(void*, std::size_t),
                    std::size_t total, std::size_t, void* data) {
  Status* const status = Answer([]() -> Status* { return nullptr; });
  if (status == nullptr) RunTasks(task, total, context->threads, data);
  return status;
}

}  // namespace

void Unexpected() {
  std::puts("the library calls a slot that the fake runtime does not serve");
  std::abort();
}

Table::Table() {
  for (auto& slot : slots_) slot = Unexpected;
  ServeProviders();
  Serve(ort::CreateStatus, CreateStatus);
  Serve(ort::GetErrorCode, GetErrorCode);
  Serve(ort::GetErrorMessage, GetErrorMessage);
  Serve(ort::CreateCustomOpDomain, CreateDomain);
  Serve(ort::CustomOpDomain_Add, AddOp);
  Serve(ort::AddCustomOpDomain, AddDomain);
  Serve(ort::GetTensorMutableData, GetData);
  Serve(ort::CastTypeInfoToTensorInfo, CastTypeInfo);
  Serve(ort::GetTensorElementType, GetType);
  Serve(ort::GetDimensionsCount, GetRank);
  Serve(ort::GetDimensions, GetSizes);
  Serve(ort::GetSymbolicDimensions, GetNames);
  Serve(ort::GetTensorTypeAndShape, GetTypeAndShape);
  Serve(ort::GetAllocatorWithDefaultOptions, GetAllocator);
  Serve(ort::KernelInfoGetAttribute_float, GetFloat);
  Serve(ort::KernelInfoGetAttribute_int64, GetInt);
  Serve(ort::KernelInfoGetAttribute_string, GetString);
  Serve(ort::KernelContext_GetOutputCount, GetOutputCount);
  Serve(ort::KernelContext_GetInput, GetInput);
  Serve(ort::KernelContext_GetOutput, GetOutput);
  Serve(ort::ReleaseStatus, CountRelease<Status>);
  Serve(ort::ReleaseValue, CountRelease<Value>);
  Serve(ort::ReleaseTypeInfo, CountRelease<ort::TypeInfo>);
  Serve(ort::ReleaseTensorTypeAndShapeInfo, CountRelease<TensorTypeAndShapeInfo>);
  Serve(ort::ReleaseCustomOpDomain, CountRelease<ort::CustomOpDomain>);
  Serve(ort::AddSessionConfigEntry, AddEntry);
  Serve(ort::KernelInfoGetAttributeArray_float, GetFloats);
  Serve(ort::KernelInfoGetAttributeArray_int64, GetInts);
  Serve(ort::KernelContext_GetGPUComputeStream, GetStream);
  Serve(ort::KernelInfo_GetInputTypeInfo, GetInputTypeInfo);
  Serve(ort::KernelInfoGetConstantInput_tensor, GetConstantInput);
  Serve(ort::KernelInfoGetAttribute_tensor, GetTensor);
  Serve(ort::HasSessionConfigEntry, HasEntry);
  Serve(ort::GetSessionConfigEntry, GetEntry);
  Serve(ort::KernelInfo_GetNodeName, GetNodeName);
  Serve(ort::ShapeInferContext_GetInputTypeShape, GetInferredInput);
  Serve(ort::ShapeInferContext_SetOutputTypeShape, SetInferredOutput);
  Serve(ort::KernelContext_ParallelFor, ParallelFor);
}

std::string Take(Status* status) {
  const Inside scope;
  if (status == nullptr) return "";
  std::string message = status->message;
  CountRelease(status);
  return message;
}

}  // namespace onnx_acts::fake
