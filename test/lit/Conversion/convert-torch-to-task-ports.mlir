// RUN: etc-opt %s --convert-torch-to-task --split-input-file --verify-diagnostics

// What the importer says of arguments and results.

// expected-error @+1 {{has no etc.symbols, so it is not a step that the importer made}}
func.func @no_symbols(%x: !torch.vtensor<[2],f32>) {
  return
}

// -----

// expected-error @+1 {{etc.symbols: 'T' needs its smallest and largest value, got [1]}}
func.func @bounds(%x: !torch.vtensor<[2],f32>) attributes {etc.symbols = {T = [1]}} {
  return
}

// -----

// expected-error @+1 {{symbol 'T' needs a range of positive extents, got 3 to 2}}
func.func @range(%x: !torch.vtensor<[2],f32>) attributes {etc.symbols = {T = [3, 2]}} {
  return
}

// -----

// expected-error @+1 {{argument 0 needs a etc.role}}
func.func @role(%x: !torch.vtensor<[2],f32> {etc.name = "x"}) attributes {etc.symbols = {}} {
  return
}

// -----

// expected-error @+1 {{argument 0 is a tensor, got '!torch.int'}}
func.func @scalar(%x: !torch.int {etc.name = "x", etc.role = "input"}) attributes {etc.symbols = {}} {
  return
}

// -----

// expected-error @+1 {{argument 0 has an unknown attribute "etc.layout"}}
func.func @unknown(%x: !torch.vtensor<[2],f32> {etc.name = "x", etc.role = "input", etc.layout = 1}) attributes {etc.symbols = {}} {
  return
}

// -----

// expected-error @+1 {{argument 0 has 1 etc.dims for '!torch.vtensor<[?,2],f32>'}}
func.func @rank(%x: !torch.vtensor<[?,2],f32> {etc.name = "x", etc.role = "input", etc.dims = ["T"]}) attributes {etc.symbols = {T = [1, 2]}} {
  return
}

// -----

// expected-error @+1 {{argument 0 has etc.dims ["3"] for '!torch.vtensor<[2],f32>'}}
func.func @size(%x: !torch.vtensor<[2],f32> {etc.name = "x", etc.role = "input", etc.dims = ["3"]}) attributes {etc.symbols = {}} {
  return
}

// -----

// expected-error @+1 {{argument 0 does not say which symbol of etc.symbols dimension 0 of '!torch.vtensor<[?],f32>' is}}
func.func @symbol(%x: !torch.vtensor<[?],f32> {etc.name = "x", etc.role = "input", etc.dims = ["U"]}) attributes {etc.symbols = {T = [1, 2]}} {
  return
}

// -----

// expected-error @+1 {{etc.symbols lists 1 symbols, the arguments name 0}}
func.func @unused(%x: !torch.vtensor<[2],f32> {etc.name = "x", etc.role = "input"}) attributes {etc.symbols = {T = [1, 2]}} {
  return
}

// -----

// expected-error @+1 {{result 0 has role 'input'; a result is an output or a state}}
func.func @result(%x: !torch.vtensor<[2],f32> {etc.name = "x", etc.role = "input"})
    -> (!torch.vtensor<[2],f32> {etc.name = "y", etc.role = "input"}) attributes {etc.symbols = {}} {
  return %x : !torch.vtensor<[2],f32>
}
