// What the agent holds of memory while it waits.
//
// Thread rule: any thread.
#pragma once

namespace tenken::agent {

// Gives free heap back, and lets go of the pages of program and libraries: they stay in the page
// cache, which the host shares, and come back when they are touched.
void shrink();

}  // namespace tenken::agent
