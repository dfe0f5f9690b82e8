package usage

import "time"

// date is a day of the calendar, counted from 1 January 1970, whatever a zone does with its clock on it.
type date int32

const secondsOfDay = 24 * 60 * 60

func dateOf(t time.Time, where *time.Location) date {
	y, m, d := t.In(where).Date()
	return dateFrom(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
}

// dateFrom takes a midnight of UTC.
func dateFrom(t time.Time) date { return date(t.Unix() / secondsOfDay) } // exact, also before 1970

func (d date) utc() time.Time { return time.Unix(int64(d)*secondsOfDay, 0).UTC() }

// midnight is when the day begins. Some zones skip midnight when summer comes; time.Date may then give an hour of the day
// before.
func (d date) midnight(where *time.Location) time.Time {
	y, m, day := d.utc().Date()
	t := time.Date(y, m, day, 0, 0, 0, 0, where)
	for hour := 1; t.Day() != day && hour < 24; hour++ {
		t = time.Date(y, m, day, hour, 0, 0, 0, where)
	}
	return t
}
