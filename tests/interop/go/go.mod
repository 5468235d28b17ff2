module lockstep/interop

go 1.24
