package gate

import (
	"fmt"
	"sort"
	"strconv"
	"sync"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// bucket is where services are kept, by name.
const bucket = "services"

// record is a service as it is kept. Those that are built in are not: they are always there.
type record struct {
	Target   string   `json:"target"`
	Port     uint16   `json:"port"`
	Protocol Protocol `json:"protocol"`
}

// Services is the list of services in the store. It keeps nothing of its own: each call reads what is there.
type Services struct {
	st      *store.Store
	journal *journal.Journal

	mu       sync.Mutex
	watchers map[chan struct{}]struct{}
}

// NewServices gives the services in st, whose changes are written to j.
func NewServices(st *store.Store, j *journal.Journal) *Services {
	return &Services{st: st, journal: j, watchers: make(map[chan struct{}]struct{})}
}

// List gives all services: home-assistant and admin first, then the household's own by name.
func (s *Services) List() ([]Service, error) {
	var out []Service
	err := s.st.View(func(tx *store.Tx) (err error) {
		out, err = list(tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing services: %w", err)
	}
	return out, nil
}

func list(tx *store.Tx) ([]Service, error) {
	out := builtins()
	err := store.Each(tx, bucket, func(name string, r record) error {
		if !isBuiltin(name) { // made before the name was ours: Reclaim
			out = append(out, r.service(name))
		}
		return nil
	})
	own := out[len(builtins()):]
	sort.Slice(own, func(i, j int) bool { return own[i].Name < own[j].Name })
	return out, err
}

func (r record) service(name string) Service {
	return Service{Name: name, Target: r.Target, Port: r.Port, Protocol: r.Protocol}
}

// Get gives one service, or ErrNoService.
func (s *Services) Get(name string) (Service, error) {
	all, err := s.List()
	if err != nil {
		return Service{}, err
	}
	for _, svc := range all {
		if svc.Name == name {
			return svc, nil
		}
	}
	return Service{}, fmt.Errorf("service %q: %w", name, ErrNoService)
}

// Known tells whether there is a service of that name, within the caller's transaction.
func Known(tx *store.Tx, name string) (bool, error) {
	if isBuiltin(name) {
		return true, nil
	}
	_, ok, err := store.Get[record](tx, bucket, name)
	return ok, err
}

// Add adds a service and gives it as it is kept. The errors are ErrInvalidService and ErrServiceTaken (its name, or its port
// in the tunnel).
func (s *Services) Add(svc Service) (Service, error) {
	svc, err := svc.checked()
	if err == nil {
		err = s.st.Update(func(tx *store.Tx) error { return s.add(tx, svc) })
	}
	if err != nil {
		return Service{}, fmt.Errorf("adding service %q: %w", svc.Name, err)
	}
	return svc, nil
}

func (s *Services) add(tx *store.Tx, svc Service) error {
	if svc.Protocol == TCP && svc.Port == PortalPort {
		return fmt.Errorf("tcp port %d in the tunnel is kept for Hearthgate's own page, choose another with --port; %w", PortalPort, ErrServiceTaken)
	}
	all, err := list(tx)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.Name == svc.Name {
			return fmt.Errorf("there is a service of that name; %w", ErrServiceTaken)
		}
		if other.Name != Admin && other.Protocol == svc.Protocol && other.Port == svc.Port {
			return fmt.Errorf("%s port %d in the tunnel belongs to service %q, choose another with --port; %w",
				svc.Protocol, svc.Port, other.Name, ErrServiceTaken)
		}
	}
	if err := store.Put(tx, bucket, svc.Name, record{svc.Target, svc.Port, svc.Protocol}); err != nil {
		return err
	}
	return s.changed(tx, journal.ServiceAdded, "added", svc)
}

// Remove removes a service, or says ErrNoService or ErrBuiltin. What must go with it goes in the same transaction: each of
// also is called with it, and an error of theirs leaves everything as it was.
func (s *Services) Remove(name string, also ...func(*store.Tx) error) error {
	err := s.st.Update(func(tx *store.Tx) error { return s.remove(tx, name, also) })
	if err != nil {
		return fmt.Errorf("removing service %q: %w", name, err)
	}
	return nil
}

func (s *Services) remove(tx *store.Tx, name string, also []func(*store.Tx) error) error {
	if isBuiltin(name) {
		return ErrBuiltin
	}
	return s.drop(tx, name, also)
}

func (s *Services) drop(tx *store.Tx, name string, also []func(*store.Tx) error) error {
	r, ok, err := store.Get[record](tx, bucket, name)
	if err != nil {
		return err
	}
	if !ok {
		return ErrNoService
	}
	if err := store.Delete(tx, bucket, name); err != nil {
		return err
	}
	for _, f := range also {
		if err := f(tx); err != nil {
			return err
		}
	}
	return s.changed(tx, journal.ServiceRemoved, "removed", r.service(name))
}

// Reclaim takes the name admin back from a service that the household made before Hearthgate had one of that name: the
// service goes, and forget takes it off every peer's list in the same transaction, so that nobody gets the admin page who was
// given something else. Where there is none it does nothing and writes nothing. It comes before phones do.
func (s *Services) Reclaim(forget func(name string) func(*store.Tx) error) error {
	var had bool
	err := s.st.View(func(tx *store.Tx) (err error) {
		_, had, err = store.Get[record](tx, bucket, Admin)
		return err
	})
	if err == nil && had {
		err = s.st.Update(func(tx *store.Tx) error { return s.drop(tx, Admin, []func(*store.Tx) error{forget(Admin)}) })
	}
	if err != nil {
		return fmt.Errorf("removing service %q, whose name is Hearthgate's own now: %w", Admin, err)
	}
	return nil
}

// changed writes the event of a change and tells the watchers once the change is on the disk.
func (s *Services) changed(tx *store.Tx, t journal.Type, done string, svc Service) error {
	tx.OnCommit(s.notify)
	return s.journal.RecordTx(tx, journal.Event{
		Type:    t,
		Message: fmt.Sprintf("service %q was %s: %s port %d in the tunnel for %s", svc.Name, done, svc.Protocol, svc.Port, svc.Target),
		Data: map[string]string{
			"service": svc.Name, "target": svc.Target, "protocol": string(svc.Protocol), "port": strconv.Itoa(int(svc.Port)),
		},
	})
}

// Watch gives a channel that holds a value whenever the services have changed since it was last read, and a function that
// ends it.
func (s *Services) Watch() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[c] = struct{}{}
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, c)
	}
}

func (s *Services) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
