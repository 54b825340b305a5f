// RUN: etc-opt %s | FileCheck %s
// RUN: etc-opt %s | etc-opt | FileCheck %s
// RUN: etc-opt %s --mlir-print-op-generic | etc-opt | FileCheck %s

// The generic text of torch-mlir is read without a flag, and every type comes
// back as it was written.

// CHECK-LABEL: func.func private @tensors
// CHECK-SAME: !torch.vtensor<[1,?,64],bf16>, !torch.vtensor<[?],si64>, !torch.vtensor<[],f32>, !torch.vtensor<[0,2],i1>
"func.func"() <{function_type = (!torch.vtensor<[1,?,64],bf16>, !torch.vtensor<[?],si64>,
  !torch.vtensor<[],f32>, !torch.vtensor<[0,2],i1>) -> (), sym_name = "tensors",
  sym_visibility = "private"}> ({}) : () -> ()

// CHECK-LABEL: func.func private @scalars
// CHECK-SAME: !torch.int, !torch.float, !torch.bool, !torch.none, !torch.str, !torch.Device
func.func private @scalars(!torch.int, !torch.float, !torch.bool, !torch.none, !torch.str, !torch.Device)

// CHECK-LABEL: func.func private @containers
// CHECK-SAME: !torch.list<int>, !torch.list<optional<vtensor<[?,3],f32>>>, !torch.optional<list<str>>
func.func private @containers(!torch.list<int>, !torch.list<optional<vtensor<[?,3],f32>>>, !torch.optional<list<str>>)

// An operation is not registered, its inherent attributes are kept.
// CHECK-LABEL: func.func @operations
// CHECK: "torch.constant.int"() <{value = 4 : i64}> : () -> !torch.int
// CHECK: "torch.prim.ListConstruct"(%{{.*}}) : (!torch.int) -> !torch.list<int>
// CHECK: "torch.operator"(%{{.*}}) <{name = "torch.etc.argmax"}>
func.func @operations(%x: !torch.vtensor<[?,8],f32>) -> !torch.vtensor<[?],si64> {
  %0 = "torch.constant.int"() <{value = 4 : i64}> : () -> !torch.int
  %1 = "torch.prim.ListConstruct"(%0) : (!torch.int) -> !torch.list<int>
  %2 = "torch.operator"(%x) <{name = "torch.etc.argmax"}> : (!torch.vtensor<[?,8],f32>) -> !torch.vtensor<[?],si64>
  return %2 : !torch.vtensor<[?],si64>
}
