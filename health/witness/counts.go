package witness

import (
	"context"
	"sync/atomic"
	"time"
)

// counts are all that a witness remembers of what it did.
type counts struct{ looks, refused, silent atomic.Int64 }

// count writes them to the log once an hour, where there is something to write.
func (s *Server) count(ctx context.Context) error {
	for pause(ctx, time.Hour) == nil {
		looks, refused, silent := s.counts.looks.Swap(0), s.counts.refused.Swap(0), s.counts.silent.Swap(0)
		if looks+refused+silent > 0 {
			s.cfg.Log.InfoContext(ctx, "asked", "looks", looks, "refused", refused, "unanswered", silent)
		}
	}
	return nil
}
