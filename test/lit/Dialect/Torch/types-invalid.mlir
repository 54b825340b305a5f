// RUN: etc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{unknown  type `tensr` in dialect `torch`}}
func.func private @unknown(!torch.tensr<[2],f32>)

// -----

// expected-error @+1 {{unknown torch type 'integer'}}
func.func private @unknown_element(!torch.list<integer>)

// -----

// expected-error @+1 {{the size of a dimension is not negative, got -4}}
func.func private @negative_size(!torch.vtensor<[2,-4],f32>)

// -----

// expected-error @+1 {{the elements of a vtensor are integers or floats, got 'index'}}
func.func private @element_type(!torch.vtensor<[2],index>)

// -----

// expected-error @+1 {{expected '['}}
func.func private @unranked(!torch.vtensor<*,f32>)

// -----

// expected-error @+1 {{expected ','}}
func.func private @no_element_type(!torch.vtensor<[2]>)

// -----

// expected-error @+1 {{expected '<'}}
func.func private @bare_list(!torch.list)
