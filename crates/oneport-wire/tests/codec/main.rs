//! The codec of `oneport.v1` against its vectors, its document, a generator of frames, and bytes that
//! are none.

mod document;
mod hostile;
mod model;
mod random;
mod roundtrip;
mod vectors;
