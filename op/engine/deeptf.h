/* deeptf.h: energies, forces and virials of frozen models, dipoles and other properties of atoms,
 * from C and from whatever calls C.
 *
 * Link with libdeeptf_engine (pkg-config deeptf, or CMake's find_package(deeptf)): it needs neither
 * Python nor TensorFlow. It opens the kernels for the CPU at hand, libdeeptf_core.LEVEL.so, from
 * its own folder when the first function is called.
 *
 * Units: A, eV, eV/A. A virial is -dE/dstrain in eV, row by row; stress = -virial / volume.
 * Arrays are row-major and belong to the caller: functions read or write them during the call and
 * keep no pointer. Numbers of atoms and pairs fit 32 bits. Types count from 0; a negative type is
 * no atom: it has no energy and no neighbours.
 *
 * Errors: functions that return int give 0, or another number where they failed; then
 * deeptf_last_error() says what must be, what was found and where, and nothing is known of the
 * content of the results. No function ends the process or throws.
 *
 * Threads: a model is read only once it is loaded. Any number of threads may evaluate it, or
 * several models, at the same time, each with results of its own. Results do not depend on the
 * number of threads, bit for bit.
 *
 * The first member of each struct is its size in bytes, by which a later version knows an older
 * caller; the other ones may be zero or NULL where that is said:
 *     deeptf_frames frames = {sizeof frames};
 */
#ifndef DEEPTF_H
#define DEEPTF_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DEEPTF_API_VERSION 1

typedef struct deeptf_model deeptf_model;

/* "0.1.0, kernels for x86-64-v4", or an empty text where the kernels cannot be opened. */
const char* deeptf_version(void);

/* What went wrong in the last call of this thread that failed; valid until its next failure. */
const char* deeptf_last_error(void);

/* GPUs that models can run on, of those that CUDA_VISIBLE_DEVICES shows; 0 without any. */
int32_t deeptf_num_gpus(void);
/* Why there are none; an empty text where there are. */
const char* deeptf_gpu_error(void);

/* --- Models --- */

typedef struct deeptf_load_options {
  size_t size;
  /* Where TensorFlow is, for models whose plan the engine does not know: paths of its C library
   * (libtensorflow or libtensorflow_cc) and of deeptf's ops (libdeeptf.so). NULL:
   * libtensorflow.so.2 or libtensorflow_cc.so.2 where the loader finds them, and libdeeptf.so
   * beside the engine. They are opened only when such a model is loaded. A process has one of each:
   * models loaded later must name the same ones, or none. */
  const char* tensorflow;
  const char* ops;
  /* Where the model runs: one of deeptf_gpu. For a GPU libdeeptf_engine_cuda.so must lie beside the
   * cores, and the driver of NVIDIA be there. AUTO, which is 0, takes a GPU where all that is there
   * and has kernels for the plan of the model, else the CPU; YES fails with the reason. */
  int32_t gpu;
  int32_t gpu_number; /* of the deeptf_num_gpus ones */
} deeptf_load_options;

enum deeptf_gpu { DEEPTF_GPU_AUTO = 0, DEEPTF_GPU_NO = 1, DEEPTF_GPU_YES = 2 };

/* Loads the frozen model in the file `path`; options may be NULL. *model is set on success alone;
 * deeptf_free releases it. */
int deeptf_load(const char* path, const deeptf_load_options* options, deeptf_model** model);

/* The same from the content of a file, which is copied as far as needed; `name` is for messages. */
int deeptf_load_content(const char* name, const void* content, size_t length,
                        const deeptf_load_options* options, deeptf_model** model);

/* NULL is allowed. No other thread may use the model any more. */
void deeptf_free(deeptf_model* model);

/* What a model is. Of NULL: 0, and NAN, NULL or an empty text from functions that give these. */
int32_t deeptf_num_types(const deeptf_model* model);
/* Name of a type, or NULL where there is none of that number; lives as long as the model. */
const char* deeptf_type_name(const deeptf_model* model, int32_t type);
/* A; pairs up to there matter. */
double deeptf_rcut(const deeptf_model* model);
/* How many times rcut away an atom still matters for an energy: 1, or more with message passing. */
int32_t deeptf_hops(const deeptf_model* model);
/* Numbers that each frame and each atom must be given. */
int32_t deeptf_num_fparam(const deeptf_model* model);
int32_t deeptf_num_aparam(const deeptf_model* model);
/* What the model gives: "energy", or "dipole", "polar" or "dos"; lives as long as the model. */
const char* deeptf_property(const deeptf_model* model);
/* Numbers of it that a frame and an atom have: 1, 3, 9 or any number. */
int32_t deeptf_width(const deeptf_model* model);
/* Types of atoms with spins: the first so many, S; 0 without any. The last S types are those of
 * virtual atoms, which are beside them: one of an atom at x with spin s is at x + d with
 *     d = s deeptf_virtual_len / deeptf_spin_norm
 * A caller gives both kinds. The n-th virtual atom of a type belongs to the n-th atom of its type
 * in a frame, or of all atoms of a list. Virtual atoms are neighbours and have no energy; they need
 * no lists, and may be centres or not. `force` is -dE/dx at constant spins, at a virtual atom
 * -dE/ds; virials are of a strain that turns no spin. deeptf_evaluate_pairs takes no such model. */
int32_t deeptf_num_spin_types(const deeptf_model* model);
/* In A, and the length of spins in the data of the model; NAN for a type without spins. */
double deeptf_virtual_len(const deeptf_model* model, int32_t type);
double deeptf_spin_norm(const deeptf_model* model, int32_t type);
/* Distance in A where the data of the model end for a pair of types; NAN where it cannot tell. */
double deeptf_data_end(const deeptf_model* model, int32_t centre_type, int32_t neighbor_type);
/* 1 where the engine runs the model itself, 0 where TensorFlow does. */
int deeptf_is_native(const deeptf_model* model);
/* "CPU", or "GPU 0, " and its name; lives as long as the model. */
const char* deeptf_device(const deeptf_model* model);
/* Why DEEPTF_GPU_AUTO has not taken a GPU, though there is one; else an empty text. */
const char* deeptf_no_gpu_reason(const deeptf_model* model);
/* What the file says about itself, JSON; lives as long as the model. */
const char* deeptf_metadata(const deeptf_model* model);

/* --- Evaluation ---
 *
 * A model on a GPU copies what it is given to its memory, and the results back; of the options it
 * uses `weight` and, for charges, add_parts. All arrays may lie in memory of the GPU too
 * (cudaMalloc), but for structs, the lists of neighbours with their numbers and centres, id, and
 * outside_count and _distance. Of these arrays `coord`, `neighbor`, `displacement`, `weight` and
 * results are not copied to the host. What fills them must have been waited for; results are there
 * when the call returns. Each call that runs at the same time has memory of its own, which the
 * model keeps. A fork of the process cannot go on with a model on a GPU. Energies agree with those
 * of the CPU to rounding, and have the same bits each time. */

/* Replaces `count` values by their sums over all callers that share out the atoms of a frame. */
typedef void (*deeptf_add_parts)(void* parts, double* values, int64_t count);

typedef struct deeptf_options {
  size_t size;
  int32_t threads;    /* 0: the cores that this process may use */
  int32_t most_atoms; /* evaluated at a time by one thread; 0: as many as the cache likes */
  /* [N, width], or [num_centres, width], of a model of another property than energies that the
   * engine runs itself: its energy is sum_i weight_i . value_i over the atoms that count, and
   * results are those of that. Weights that are 1 for one component and 0 for others give the
   * derivatives of this component; any ones give vector-Jacobian products. NULL: no energy. */
  const double* weight;
  /* For models with charges, whose atoms act on all others, where several callers share out the
   * atoms of a frame, such as processes that have parts of a box: all of them call at the same
   * time, each with the atoms that it owns. add_parts is called once for each frame, with `parts`
   * as it is given here. Energies and virials of all callers add up to those of the frame. NULL:
   * the atoms are all there are. */
  deeptf_add_parts add_parts;
  void* parts;
  int32_t num_parts; /* how many callers there are; 0 is 1 */
} deeptf_options;

/* Atoms by their coordinates, one frame or several. N atoms in all. */
typedef struct deeptf_frames {
  size_t size;
  int32_t num_frames; /* F */
  int32_t num_atoms;  /* N */
  const int32_t*
      frame_row;        /* [F + 1] first atom of each frame, then N; NULL: all frames of a size */
  const double* coord;  /* [N, 3] A, anywhere: atoms are wrapped into the cell */
  const double* cell;   /* [F, 3, 3] A, rows are cell vectors; NULL, or zeros in a frame: no cell */
  const int32_t* type;  /* [N] */
  const double* fparam; /* [F, num_fparam]; NULL where the model wants none */
  const double* aparam; /* [N, num_aparam]; NULL where the model wants none */
} deeptf_frames;

/* Atoms with neighbours that the caller has found, as an MD engine has them: one frame. Atoms are
 * numbered 0 to num_all - 1; centres are the first num_centres of them, ghosts the others. A ghost
 * is an atom at its own place: distances are those between the coordinates. Neighbours farther than
 * rcut are skipped, so that a list may have a skin; each pair must be in the lists of both atoms,
 * as far as they are centres (a full list). */
typedef struct deeptf_neighbor_list {
  size_t size;
  int32_t num_centres;   /* have lists and energies */
  int32_t num_owned;     /* of these the first so many count; the others help models of hops > 1 */
  int32_t num_all;       /* with ghosts */
  const double* coord;   /* [num_all, 3] A */
  const int32_t* type;   /* [num_all] */
  int32_t num_lists;     /* lists below; atoms without one have no neighbours */
  const int32_t* centre; /* [num_lists] whose list it is; NULL: 0, 1, 2 ... */
  const int32_t* num_neighbors;    /* [num_lists] */
  const int32_t* const* neighbors; /* [num_lists] pointers to atoms */
  int32_t neighbor_mask;           /* and-ed with each of these; 0: none (LAMMPS: NEIGHMASK) */
  const double* fparam;            /* [num_fparam] */
  const double* aparam;            /* [num_centres, num_aparam] */
  const int64_t* id;               /* [num_all] what messages call atoms; NULL: their numbers */
  /* Numbers the lists: calls with one model that have the same number here must have the same
   * lists, centres, mask and numbers of atoms, so that a GPU keeps them. 0: any other lists. */
  int64_t revision;
  const double* cell; /* [3, 3] A, rows are cell vectors; of models with charges, else NULL */
} deeptf_neighbor_list;

/* Pairs with their displacements: what periodic images need without ghosts. One frame. */
typedef struct deeptf_pairs {
  size_t size;
  int32_t num_centres;
  int32_t num_owned;
  int32_t num_all;
  const int32_t* type;        /* [num_all] */
  const int32_t* row;         /* [num_centres + 1] first pair of each centre, then their number P */
  const int32_t* neighbor;    /* [P] */
  const double* displacement; /* [P, 3] A, from the centre to the neighbour */
  const double* fparam;       /* [num_fparam] */
  const double* aparam;       /* [num_centres, num_aparam] */
} deeptf_pairs;

/* Where results go; NULL for one that is not wanted. All are overwritten, not added to. N_all is N
 * of frames, and num_all of a list or of pairs: forces on ghosts are to be added to their atoms. F
 * is 1 for a list and for pairs. */
typedef struct deeptf_results {
  size_t size;
  double* energy;      /* [F] of the atoms that count */
  double* force;       /* [N_all, 3] */
  double* virial;      /* [F, 9] */
  double* atom_energy; /* [N], or [num_centres]: 0 for those that do not count */
  double* atom_virial; /* [N_all, 9]; that of a pair belongs to the neighbour */
  /* Pairs closer than the data of the model, by centre and neighbour type: how many, and the
   * shortest distance, or INFINITY. Both zero and INFINITY for a model that cannot tell. */
  int64_t* outside_count;   /* [num_types, num_types] */
  double* outside_distance; /* [num_types, num_types] A */
  /* Of a model of another property than energies, in the units of its data. */
  double* value;      /* [F, width] sum over the atoms that count */
  double* atom_value; /* [N, width], or [num_centres, width]: 0 for those that do not count */
} deeptf_results;

/* options may be NULL. */
int deeptf_evaluate(const deeptf_model* model, const deeptf_frames* frames,
                    const deeptf_options* options, const deeptf_results* results);
int deeptf_evaluate_list(const deeptf_model* model, const deeptf_neighbor_list* list,
                         const deeptf_options* options, const deeptf_results* results);
int deeptf_evaluate_pairs(const deeptf_model* model, const deeptf_pairs* pairs,
                          const deeptf_options* options, const deeptf_results* results);

/* --- Several models --- */

/* How much the models of an ensemble disagree about each force, in eV/A (arXiv:1910.12690, eq. 6):
 *     deviation_i = sqrt(mean over models of |F_i - mean F_i|^2)
 * force [num_models] pointers to [num_atoms, 3]. With relative > 0 it is divided by (|mean F_i| +
 * relative). deviation [num_atoms]. */
int deeptf_force_deviation(int32_t num_models, int64_t num_atoms, const double* const* force,
                           double relative, double* deviation);
/* The same of each component of the virial per atom, in eV: virial [num_models] pointers to [9];
 * with relative > 0 divided by (|mean of the component| + relative). deviation [9]. */
int deeptf_virial_deviation(int32_t num_models, int64_t num_atoms, const double* const* virial,
                            double relative, double* deviation);

#ifdef __cplusplus
}
#endif

#endif /* DEEPTF_H */
