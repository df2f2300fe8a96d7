! Energy and largest force of the atoms in an extended xyz file, in Fortran:
!     energy MODEL.pb ATOMS.xyz
module deeptf
  ! What this program needs of deeptf.h; arrays are [3, N] here and [N, 3] there.
  use, intrinsic :: iso_c_binding
  implicit none

  type, bind(c) :: deeptf_frames
    integer(c_size_t) :: size = 0
    integer(c_int32_t) :: num_frames = 1, num_atoms = 0
    type(c_ptr) :: frame_row = c_null_ptr, coord = c_null_ptr, cell = c_null_ptr
    type(c_ptr) :: type = c_null_ptr, fparam = c_null_ptr, aparam = c_null_ptr
  end type

  type, bind(c) :: deeptf_results
    integer(c_size_t) :: size = 0
    type(c_ptr) :: energy = c_null_ptr, force = c_null_ptr, virial = c_null_ptr
    type(c_ptr) :: atom_energy = c_null_ptr, atom_virial = c_null_ptr
    type(c_ptr) :: outside_count = c_null_ptr, outside_distance = c_null_ptr
  end type

  interface
    integer(c_int) function deeptf_load(path, options, model) bind(c)
      import
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), value :: options
      type(c_ptr), intent(out) :: model
    end function
    subroutine deeptf_free(model) bind(c)
      import
      type(c_ptr), value :: model
    end subroutine
    integer(c_int32_t) function deeptf_num_types(model) bind(c)
      import
      type(c_ptr), value :: model
    end function
    type(c_ptr) function deeptf_type_name(model, number) bind(c)
      import
      type(c_ptr), value :: model
      integer(c_int32_t), value :: number
    end function
    type(c_ptr) function deeptf_last_error() bind(c)
      import
    end function
    integer(c_int) function deeptf_evaluate(model, frames, options, results) bind(c)
      import
      type(c_ptr), value :: model, options
      type(deeptf_frames), intent(in) :: frames
      type(deeptf_results), intent(in) :: results
    end function
    integer(c_size_t) function strlen(text) bind(c)
      import
      type(c_ptr), value :: text
    end function
  end interface

contains

  function text_of(pointer) result(text)
    type(c_ptr), intent(in) :: pointer
    character(len=:), allocatable :: text
    character(kind=c_char), pointer :: letters(:)
    integer :: i
    call c_f_pointer(pointer, letters, [strlen(pointer)])
    allocate (character(len=size(letters)) :: text)
    do i = 1, size(letters)
      text(i:i) = letters(i)
    end do
  end function
end module

program energy
  use deeptf
  use, intrinsic :: iso_fortran_env, only: error_unit
  implicit none
  type(c_ptr) :: model
  type(deeptf_frames) :: frames
  type(deeptf_results) :: results
  real(c_double), allocatable, target :: coord(:, :), force(:, :)
  integer(c_int32_t), allocatable, target :: types(:)
  real(c_double), target :: cell(3, 3), total
  logical :: periodic
  character(len=1000) :: model_file, atom_file

  if (command_argument_count() /= 2) call stop_with("usage: energy MODEL.pb ATOMS.xyz")
  call get_command_argument(1, model_file)
  call get_command_argument(2, atom_file)
  if (deeptf_load(trim(model_file)//c_null_char, c_null_ptr, model) /= 0) &
    call stop_with(text_of(deeptf_last_error()))
  call read_atoms(trim(atom_file))

  allocate (force(3, size(types)))
  frames%size = c_sizeof(frames)
  frames%num_atoms = size(types)
  frames%coord = c_loc(coord)
  if (periodic) frames%cell = c_loc(cell)
  frames%type = c_loc(types)
  results%size = c_sizeof(results)
  results%energy = c_loc(total)
  results%force = c_loc(force)
  if (deeptf_evaluate(model, frames, c_null_ptr, results) /= 0) &
    call stop_with(text_of(deeptf_last_error()))

  print "(a, f18.10, a)", "energy         ", total, " eV"
  print "(a, f18.10, a)", "largest force  ", maxval(norm2(force, dim=1)), " eV/A"
  call deeptf_free(model)

contains

  subroutine stop_with(message)
    character(len=*), intent(in) :: message
    write (error_unit, "(a)") message
    stop 1
  end subroutine

  subroutine read_atoms(path)
    character(len=*), intent(in) :: path
    character(len=1000) :: line
    character(len=8) :: element
    integer :: unit, number, status, i, start
    open (newunit=unit, file=path, status="old", action="read", iostat=status)
    if (status == 0) read (unit, *, iostat=status) number
    if (status == 0) read (unit, "(a)", iostat=status) line
    if (status /= 0) call stop_with(path//": cannot be read")
    start = index(line, 'Lattice="')
    periodic = start > 0
    if (periodic) then
      start = start + len('Lattice="')
      read (line(start:start + index(line(start:), '"') - 2), *) cell
    end if
    allocate (coord(3, number), types(number))
    do i = 1, number
      read (unit, *, iostat=status) element, coord(:, i)
      if (status /= 0) call stop_with(path//": holds fewer atoms than it says")
      types(i) = type_of(trim(element))
    end do
    close (unit)
  end subroutine

  ! The number by which the model knows an element.
  integer(c_int32_t) function type_of(element)
    character(len=*), intent(in) :: element
    do type_of = 0, deeptf_num_types(model) - 1
      if (text_of(deeptf_type_name(model, type_of)) == element) return
    end do
    call stop_with(element//": the model does not know this element")
  end function
end program
