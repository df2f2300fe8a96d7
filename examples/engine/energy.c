/* Energy and largest force of the atoms in an extended xyz file, in C99:
 *     energy MODEL.pb ATOMS.xyz
 */
#include <deeptf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct atoms {
  int number;
  int periodic;
  double cell[9];
  double* coord;
  int32_t* type;
};

static void stop(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

/* The number by which the model knows an element. */
static int32_t type_of(const deeptf_model* model, const char* element) {
  for (int32_t type = 0; type < deeptf_num_types(model); ++type)
    if (strcmp(deeptf_type_name(model, type), element) == 0) return type;
  stop(element, "the model does not know this element");
  return -1;
}

static struct atoms read_atoms(const char* path, const deeptf_model* model) {
  struct atoms atoms = {0};
  char line[1000];
  FILE* file = fopen(path, "r");
  if (!file || !fgets(line, sizeof line, file) || (atoms.number = atoi(line)) <= 0 ||
      !fgets(line, sizeof line, file))
    stop(path, "cannot be read");
  const char* lattice = strstr(line, "Lattice=\"");
  if (lattice) {
    char* next = (char*)lattice + strlen("Lattice=\"");
    for (int i = 0; i < 9; ++i) atoms.cell[i] = strtod(next, &next);
    atoms.periodic = 1;
  }
  atoms.coord = calloc(3 * (size_t)atoms.number, sizeof *atoms.coord);
  atoms.type = calloc((size_t)atoms.number, sizeof *atoms.type);
  if (!atoms.coord || !atoms.type) stop(path, "holds more atoms than the memory");
  for (int i = 0; i < atoms.number; ++i) {
    char element[8];
    double* x = atoms.coord + 3 * i;
    if (!fgets(line, sizeof line, file) ||
        sscanf(line, "%7s %lf %lf %lf", element, x, x + 1, x + 2) != 4)
      stop(path, "holds fewer atoms than it says");
    atoms.type[i] = type_of(model, element);
  }
  fclose(file);
  return atoms;
}

static double largest_force(const double* force, int number) {
  double largest = 0;
  for (int i = 0; i < number; ++i) {
    const double* f = force + 3 * i;
    largest = fmax(largest, sqrt(f[0] * f[0] + f[1] * f[1] + f[2] * f[2]));
  }
  return largest;
}

int main(int count, char** given) {
  if (count != 3) stop("usage", "energy MODEL.pb ATOMS.xyz");
  deeptf_model* model = NULL;
  if (deeptf_load(given[1], NULL, &model)) stop("energy", deeptf_last_error());
  struct atoms atoms = read_atoms(given[2], model);

  double energy = 0;
  double* force = calloc(3 * (size_t)atoms.number, sizeof *force);
  if (!force) stop(given[2], "holds more atoms than the memory");
  const deeptf_frames frames = {
      .size = sizeof frames,
      .num_frames = 1,
      .num_atoms = atoms.number,
      .coord = atoms.coord,
      .cell = atoms.periodic ? atoms.cell : NULL,
      .type = atoms.type,
  };
  const deeptf_results results = {.size = sizeof results, .energy = &energy, .force = force};
  if (deeptf_evaluate(model, &frames, NULL, &results)) stop("energy", deeptf_last_error());

  printf("energy         %18.10f eV\n", energy);
  printf("largest force  %18.10f eV/A\n", largest_force(force, atoms.number));
  free(force);
  free(atoms.coord);
  free(atoms.type);
  deeptf_free(model);
  return 0;
}
