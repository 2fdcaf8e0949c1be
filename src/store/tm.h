#pragma once
#include <cstdio>
#include <ctime>
namespace tm_ {
inline double cpu(){ timespec t; clock_gettime(CLOCK_PROCESS_CPUTIME_ID,&t); return double(t.tv_sec)+double(t.tv_nsec)/1e9; }
inline double wall(){ timespec t; clock_gettime(CLOCK_MONOTONIC,&t); return double(t.tv_sec)+double(t.tv_nsec)/1e9; }
struct Tm { const char* n; double t=0, w=0; void show(){ std::fprintf(stderr,"%s cpu %.3f wall %.3f\n",n,t,w); t=w=0; } };
inline Tm open{"open"},close{"close"},ins{"insert"},ev{"events"},cnt{"counts"},names{"names"},types{"types"},commit{"commit"};
inline void show(){ for (auto* x : {&open,&close,&ins,&ev,&cnt,&names,&types,&commit}) x->show(); }
struct Sc { Tm& m; double s=cpu(), w=wall(); ~Sc(){ m.t+=cpu()-s; m.w+=wall()-w; } };
}
