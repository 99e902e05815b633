/* What a mixed frame is made of, before it is coded. */
#ifndef NZ_MIXED_PLAN_H
#define NZ_MIXED_PLAN_H

#include "mixed.h"

struct nz_plan {
    int level;
    const uint8_t *raw; /* the frame, the caller's */
    size_t n;
    bool joins; /* streams were unpacked, and are to be packed again */
    nz_shape map_shape;
    nz_buf map;
    nz_buf contents; /* images of PNG without their filters' types, which are in the map */
    unsigned views;
    nz_shape view[NZ_VIEWS_MAX];
    size_t own[NZ_VIEWS_MAX]; /* bytes of the contents that each view codes */
    nz_turn *turn;
    size_t turns;
};

nz_course nz_plan_course(const nz_plan *p);

#endif
