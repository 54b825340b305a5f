//===- TorchDialect.td - The torch dialect -----------------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ETC_DIALECTS_TORCH_TORCHDIALECT_TD
#define ETC_DIALECTS_TORCH_TORCHDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def Torch_Dialect : Dialect {
  let name = "torch";
  let cppNamespace = "::etc::torch";
  let summary = "What the importer writes: torch-mlir's types, and any operation";
  let description = [{
    The types of torch-mlir that an imported step uses, with its syntax, so that
    the importer's generic text is read without flags. Operations are not
    registered: `convert-torch-to-task` knows the ones that it converts, by name,
    and refuses the others. The whole of torch-mlir would be a thousand operations
    of which a step uses twenty, and it must be built for the same LLVM as we are.
  }];
  let useDefaultTypePrinterParser = 1;
}

class Torch_Type<string name, string typeMnemonic> : TypeDef<Torch_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Torch_VTensorType : Torch_Type<"VTensor", "vtensor"> {
  let summary = "a tensor value: `!torch.vtensor<[1,?,64],bf16>`";
  let description = [{
    Rank and element type are known. Integers carry their signedness (`si64`).
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "mlir::Type":$elementType);
  let assemblyFormat = "`<` custom<Sizes>($shape) `,` `` $elementType `>`";
  let genVerifyDecl = 1;
}

def Torch_IntType : Torch_Type<"Int", "int"> { let summary = "Python's int"; }
def Torch_FloatType : Torch_Type<"Float", "float"> { let summary = "Python's float"; }
def Torch_BoolType : Torch_Type<"Bool", "bool"> { let summary = "Python's bool"; }
def Torch_NoneType : Torch_Type<"None", "none"> { let summary = "the type of None"; }
def Torch_StringType : Torch_Type<"String", "str"> { let summary = "Python's str"; }
def Torch_DeviceType : Torch_Type<"Device", "Device"> { let summary = "torch.device"; }

class Torch_ContainerType<string name, string typeMnemonic> : Torch_Type<name, typeMnemonic> {
  let parameters = (ins "mlir::Type":$containedType);
  // The contained type stands without its `!torch.`.
  let assemblyFormat = "`<` custom<Contained>($containedType) `>`";
}
def Torch_ListType : Torch_ContainerType<"List", "list"> {
  let summary = "a list of one type: `!torch.list<int>`";
}
def Torch_OptionalType : Torch_ContainerType<"Optional", "optional"> {
  let summary = "a type or None: `!torch.optional<int>`";
}

#endif // ETC_DIALECTS_TORCH_TORCHDIALECT_TD
