// Tensors as the runtime hands them over: shape, element count, data.
#ifndef ONNX_ACTS_TENSOR_H_
#define ONNX_ACTS_TENSOR_H_

#include <string>
#include <utility>
#include <vector>

#include "ort/ort_abi.h"
#include "ort/status.h"

namespace onnx_acts {

inline void Release(const ort::Api* api, ort::Value* value) { ort::ReleaseValue(api, value); }
inline void Release(const ort::Api* api, ort::TensorTypeAndShapeInfo* info) {
  ort::ReleaseTensorTypeAndShapeInfo(api, info);
}
inline void Release(const ort::Api* api, ort::TypeInfo* info) { ort::ReleaseTypeInfo(api, info); }
inline void Release(const ort::Api* api, ort::CustomOpDomain* domain) {
  ort::ReleaseCustomOpDomain(api, domain);
}

// Owns an object of the runtime for the length of a scope.
template <class T>
class Released {
 public:
  Released(const ort::Api* api, T* object) : api_(api), object_(object) {}
  ~Released() {
    if (object_ != nullptr) Release(api_, object_);
  }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

  // Hands the object on: it outlives the scope.
  T* Keep() { return std::exchange(object_, nullptr); }

 private:
  const ort::Api* api_;
  T* object_;
};

// Element type and sizes, and the number of elements where all sizes are known (else -1). Up to 16
// dimensions it allocates nothing.
class Shape {
 public:
  Shape(const ort::Api* api, const ort::Value* tensor) {
    ort::TensorTypeAndShapeInfo* info = nullptr;
    Check(ort::GetTensorTypeAndShape(api, tensor, &info));
    const Released<ort::TensorTypeAndShapeInfo> owner(api, info);
    Read(api, info);
    if (count_ < 0) throw InvalidArgument("onnx_acts: a tensor of impossible shape " + Text());
  }

  Shape(const ort::Api* api, const ort::TensorTypeAndShapeInfo* info) { Read(api, info); }

  ort::ElementType type() const { return type_; }
  std::size_t rank() const { return rank_; }
  const int64_t* sizes() const { return rank_ <= kInline ? few_ : many_.data(); }
  int64_t count() const { return count_; }

  // "(2, 3)"
  std::string Text() const {
    std::string text = "(";
    for (std::size_t i = 0; i < rank_; ++i) {
      text += (i == 0 ? "" : ", ") + std::to_string(sizes()[i]);
    }
    return text + (rank_ == 1 ? ",)" : ")");
  }

 private:
  static constexpr std::size_t kInline = 16;

  void Read(const ort::Api* api, const ort::TensorTypeAndShapeInfo* info) {
    Check(ort::GetTensorElementType(api, info, &type_));
    Check(ort::GetDimensionsCount(api, info, &rank_));
    if (rank_ > kInline) many_.resize(rank_);
    int64_t* sizes = rank_ <= kInline ? few_ : many_.data();
    Check(ort::GetDimensions(api, info, sizes, rank_));
    count_ = Product(sizes);
  }

  int64_t Product(const int64_t* sizes) const {
    int64_t product = 1;
    bool overflow = false, empty = false, unknown = false;
    for (std::size_t i = 0; i < rank_; ++i) {
      overflow |= __builtin_mul_overflow(product, sizes[i], &product);
      empty |= sizes[i] == 0;
      unknown |= sizes[i] < 0;
    }
    if (unknown) return -1;
    if (empty) return 0;
    if (overflow) throw InvalidArgument("onnx_acts: dimension too large in shape " + Text());
    return product;
  }

  ort::ElementType type_ = ort::kUndefined;
  std::size_t rank_ = 0;
  int64_t count_ = 0;
  int64_t few_[kInline];
  std::vector<int64_t> many_;
};

// The elements of an input or output. (The runtime has no accessor for constant data.)
inline void* TensorData(const ort::Api* api, const ort::Value* tensor) {
  void* data = nullptr;
  Check(ort::GetTensorMutableData(api, const_cast<ort::Value*>(tensor), &data));
  return data;
}

}  // namespace onnx_acts

#endif  // ONNX_ACTS_TENSOR_H_
