// CVSS 4.0: the scores of the macro vectors, in tenths. They are the result of an expert ranking
// and follow no formula (specification, section 8.2; table published by FIRST).
#include <cstddef>

#include "cvss/metrics.h"

namespace tenken::cvss {
namespace {

constexpr int eq3_eq6_pairs = 5;

// One row for each EQ1, EQ2, one line for each EQ4; in a line the pairs EQ3 EQ6 in the order 00,
// 01, 10, 11, 21, and for each pair the scores of EQ5 0, 1, 2.
constexpr signed char macro_vector_scores[3][2][3][eq3_eq6_pairs][3] = {
    {
        {
            {{100, 98, 95}, {99, 95, 92}, {98, 95, 90}, {95, 92, 84}, {92, 82, 72}},
            {{100, 93, 91}, {96, 87, 81}, {93, 89, 81}, {92, 81, 65}, {79, 69, 50}},
            {{93, 89, 81}, {90, 80, 68}, {88, 78, 69}, {80, 70, 48}, {69, 55, 27}},
        },
        {
            {{99, 95, 92}, {97, 92, 85}, {95, 92, 85}, {93, 85, 73}, {86, 75, 52}},
            {{95, 90, 84}, {91, 83, 71}, {92, 80, 70}, {82, 72, 59}, {71, 52, 29}},
            {{92, 82, 72}, {81, 71, 53}, {84, 71, 50}, {70, 52, 30}, {63, 29, 17}},
        },
    },
    {
        {
            {{98, 94, 91}, {95, 87, 81}, {94, 88, 76}, {89, 77, 67}, {83, 70, 54}},
            {{94, 86, 77}, {89, 74, 64}, {86, 74, 59}, {76, 58, 50}, {65, 58, 26}},
            {{87, 74, 63}, {75, 63, 49}, {72, 57, 52}, {57, 52, 25}, {53, 21, 13}},
        },
        {
            {{95, 88, 76}, {90, 76, 70}, {89, 76, 62}, {78, 67, 58}, {71, 59, 30}},
            {{90, 75, 61}, {77, 62, 53}, {74, 57, 47}, {59, 57, 23}, {58, 26, 15}},
            {{77, 68, 52}, {66, 59, 30}, {61, 57, 24}, {52, 29, 16}, {23, 13, 6}},
        },
    },
    {
        {
            {{93, 86, 75}, {87, 72, 58}, {85, 74, 62}, {75, 55, 51}, {64, 51, 20}},
            {{86, 74, 56}, {74, 61, 34}, {72, 55, 46}, {57, 41, 19}, {47, 21, 11}},
            {{70, 52, 40}, {54, 40, 22}, {53, 34, 19}, {36, 19, 8}, {24, 9, 4}},
        },
        {
            {{88, 73, 60}, {75, 53, 50}, {75, 58, 40}, {55, 45, 21}, {53, 24, 14}},
            {{73, 59, 41}, {55, 40, 20}, {61, 48, 20}, {51, 18, 9}, {24, 12, 5}},
            {{54, 45, 20}, {43, 22, 11}, {46, 17, 8}, {18, 7, 2}, {10, 3, 1}},
        },
    },
};

bool within(int level, int count) {
  return level >= 0 && level < count;
}

}  // namespace

int macro_vector_score(const MacroVector& levels) {
  const auto [eq1, eq2, eq3, eq4, eq5, eq6] = levels;
  const bool exists = within(eq1, 3) && within(eq2, 2) && within(eq3, 3) && within(eq4, 3) &&
                      within(eq5, 3) && within(eq6, 2) && (eq3 < 2 || eq6 == 1);
  if (!exists) return -1;
  const int pair = eq3 == 2 ? eq3_eq6_pairs - 1 : 2 * eq3 + eq6;
  return macro_vector_scores[eq1][eq2][eq4][pair][eq5];
}

}  // namespace tenken::cvss
